import Meetings

/// What the API needs to know before it starts.
public struct ApiConfiguration: Sendable {
    /// Where a listener binds; port 0 takes a free one.
    public struct Listen: Sendable, Equatable {
        public var host: String
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// A key of a service that calls the API (HS256).
    public struct Key: Sendable {
        /// The `iss` claim of the tokens that it signs.
        public let id: String
        public let secret: [UInt8]

        /// - Parameter secret: at least 32 bytes (RFC 7518 section 3.2), or the server does not start.
        public init(id: String, secret: [UInt8]) {
            self.id = id
            self.secret = secret
        }
    }

    /// How often one address (IPv6: one /64) may join and create.
    public struct RateLimit: Sendable, Equatable {
        /// Calls at once.
        public var burst: Int
        /// Calls that come back, per second.
        public var perSecond: Double

        public init(burst: Int = 200, perSecond: Double = 20) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    public var api = Listen(host: "::", port: 8080)
    public var ops = Listen(host: "127.0.0.1", port: 9090)
    /// Makes the API listener speak TLS; nil: plain HTTP.
    public var certificates: CertificateStore?
    /// What clients reach the API by (`https://meet.example.org`); nil: the request's Host header.
    public var publicURL: String?
    /// Where participants keep their signaling socket (`https://pop1.example.org`): an address of this PoP alone where
    /// `publicURL` is shared by several; nil: as `publicURL`.
    public var signalingURL: String?
    /// Address and port of the media plane, told to clients (`198.51.100.7:3478`).
    public var mediaServer = ""
    public var keys: [Key] = []
    /// Serves service tokens to anybody, signed with a key made on start. Never on a public address.
    public var isDevelopment = false
    /// The folder of the web client; nil: the one that was built in.
    public var webFolder: String?
    public var limits = Limits()
    /// Nil: clients are told of no relay.
    public var turn: TURNConfiguration?
    /// Nil: no limit.
    public var rateLimit: RateLimit? = RateLimit()
    /// Places of one address in one meeting that have neither a socket nor media yet.
    public var unattachedPerAddress = 10
    /// Whose word on where a connection or a request came from is taken.
    public var trustedProxies = TrustedProxies()
    /// Pages of these origins may join, beside our own (`https://portal.example.org`).
    public var allowedOrigins: [String] = []
    /// Connections of the API listener at once, and as many requests over HTTP/2.
    public var connections = 8_192
    /// Connections of the `ops` listener at once.
    public var opsConnections = 256
    /// Of `connections`, those of one address (IPv6: one /64).
    public var connectionsPerAddress = 2_048
    /// How long a connection may be idle, or a request be on its way.
    public var idleTimeout: Duration = .seconds(30)
    /// How long a request may be on its way, and its answer.
    public var requestTime: Duration = .seconds(30)
    public var answerTime: Duration = .seconds(120)
    /// How long an HTTP/2 connection that is told to go may take to agree, and then to end what it began.
    public var farewellTime: Duration = .seconds(2)
    /// How often the server pings a signaling socket; one that is silent for two intervals is dropped.
    public var keepalive: Duration = .seconds(15)
    /// How long what happens in a meeting is gathered, before everybody is told at once.
    public var gatherTime: Duration = .milliseconds(50)
    /// How long a signaling socket may take to join.
    public var signalingJoinTime: Duration = .seconds(10)
    public var identity = NodeIdentity()
    public var admission = AdmissionPolicy()
    /// How long a drain that names no deadline waits for those inside.
    public var drainTime: Duration = .seconds(300)
    /// How long a stop waits for those inside to be told and for their connections to close.
    public var shutdownTime: Duration = .seconds(10)

    /// Nil: a PoP alone.
    public var fleet: FleetConfiguration?
    let fleetOrigins = FleetOrigins()

    public init() {}

    /// The signaling socket at `signalingURL`, of this PoP alone; nil: where the client came in.
    var ownSocket: String? { signalingURL.map { Self.socket(at: Self.trimmed($0)) } }

    /// - Parameter base: `http` or `https`, without a slash at its end.
    static func socket(at base: String) -> String { "ws" + base.dropFirst("http".count) + SignalingChannel.path }

    static func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    /// - Throws: `Refusal` of a key that must not be used.
    func validate() throws {
        for key in keys {
            if key.id.isEmpty { throw Refusal(reason: "an API key has no identifier") }
            if key.secret.count < 32 { throw Refusal(reason: "the secret of API key \(key.id) is below 32 bytes") }
        }
    }

    /// Why the server does not start.
    public struct Refusal: Error, CustomStringConvertible {
        public let reason: String
        public var description: String { reason }
    }

    /// Bytes of a request's headers, and how many there may be.
    static let headerLimit = 16 * 1_024
    static let headerFieldLimit = 100
    /// Bytes of a request's body.
    static let bodyLimit = 64 * 1_024
    /// Bytes of a signaling message.
    static let messageLimit = 256 * 1_024
    /// Bytes of what happens in a meeting that are gathered, before everybody is told.
    static let gatherLimit = 256 * 1_024
    /// Bytes that may wait for a slow reader of a signaling socket.
    static let queueLimit = 1_024 * 1_024
}
