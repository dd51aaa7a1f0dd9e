import Agents
import Wire

/// What the control side of TURN needs to know before it starts.
public struct TurnConfiguration: Sendable {
    /// What one user, one client address and the node may hold at once.
    public struct Limits: Sendable, Equatable {
        /// A browser makes one for each of its interfaces, each address family and each URL that it is given.
        public var allocationsPerUser = 32
        /// By client address; an IPv6 /64 counts as one.
        public var allocationsPerAddress = 1_024
        public var allocations = 16_384
        /// Of a user's allocations on a worker together, bytes a second of payload in both directions; 0: no limit.
        public var bandwidth: UInt64 = 0
        /// Connections of the TCP and TLS listeners.
        public var streams = 8_192
        /// By client address, as above.
        public var streamsPerAddress = 256

        public init() {}
    }

    /// The protection domain that challenges name (RFC 8489 section 14.9).
    public var realm = "needletail"
    public var secrets: TurnSecrets
    /// Passwords by name, beside the time-limited credentials of joins.
    public var users: [String: String] = [:]
    /// How long a credential opens new allocations, seconds. Open ones go on.
    public var credentialLifetime: Int64 = 86_400
    /// What clients are told, `turn:192.0.2.2:443?transport=udp` and the like (RFC 7065).
    public var urls: [String] = []
    public var tcp: [ApiConfiguration.Listen] = []
    public var tls: [ApiConfiguration.Listen] = []
    /// Required where there are TLS listeners; nil without.
    public var certificates: CertificateStore?
    public var limits = Limits()
    /// Which channels streams may carry, as workers let them be bound.
    public var channelNumbers = ChannelData.numbers

    public init(secrets: TurnSecrets) { self.secrets = secrets }

    /// Who may allocate.
    public var authenticator: TurnAuthenticator {
        TurnAuthenticator(realm: realm, secrets: secrets, users: users)
    }
}
