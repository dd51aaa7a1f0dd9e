/// One connection between two PoPs, without its sockets: bytes and times in, messages and bytes out.
public struct LinkConnection: Sendable {
    private let hello: LinkHello
    /// Who was dialled, or who the peer's certificate names.
    private let expected: PoPName?
    private let policy: LinkPolicy
    private var decoder = LinkFrameDecoder(limit: LinkPolicy.helloLimit)
    private var output: [UInt8]
    /// Of any number of pings the latest is answered.
    private var owedPong: UInt64?
    private var heard: Duration
    private var nextPing: Duration

    /// What the peer said, once it has.
    public private(set) var peer: LinkHello?
    /// The version that both speak.
    public private(set) var version: Int?
    /// Smoothed as TCP does it (RFC 6298, section 2.3).
    public private(set) var roundTrip: Duration?
    /// Frames of types that this version does not know.
    public private(set) var skipped = 0

    /// - Parameter greeting: the hello's frame, where it is at hand.
    public init(
        hello: LinkHello, greeting: [UInt8]? = nil, expected: PoPName?, policy: LinkPolicy, at now: Duration
    ) {
        self.hello = hello
        self.expected = expected
        self.policy = policy
        output = greeting ?? hello.frame.bytes
        heard = now
        nextPing = now
    }

    public var isOpen: Bool { version != nil }

    /// - Returns: the peer's messages, but those that only keep the link alive.
    public mutating func receive(_ bytes: [UInt8], at now: Duration) throws(LinkFailure) -> [LinkMessage] {
        var messages: [LinkMessage] = []
        var rest = bytes[...]
        // Before hello silence is not broken by half of one, so that nobody holds a connection with single bytes.
        if isOpen, !bytes.isEmpty { heard = now }
        repeat {
            rest = rest.dropFirst(decoder.take(rest))
            while let frame = try decoder.next() {
                guard isOpen else {
                    try greet(frame, at: now)
                    continue
                }
                guard let message = try LinkMessage(frame) else {
                    skipped += 1
                    continue
                }
                switch message {
                case .ping(let clock): owedPong = clock
                case .pong(let clock): measure(clock, at: now)
                case .goodbye(let reason): throw .parted(reason)
                default: messages.append(message)
                }
            }
        } while !rest.isEmpty
        return messages
    }

    private mutating func greet(_ frame: LinkFrame, at now: Duration) throws(LinkFailure) {
        let peer = try LinkHello(frame)
        let version = try hello.agree(with: peer)
        if let expected, peer.pop.name != expected { throw .otherName(peer.pop.name) }
        self.peer = peer
        self.version = version
        decoder.limit = LinkPolicy.frameLimit
        heard = now
        nextPing = now
    }

    /// A clock that this side did not send measures nothing: it would be from the future, or older than the silence.
    private mutating func measure(_ clock: UInt64, at now: Duration) {
        guard clock <= now.nanoseconds else { return }
        let sample = Duration.nanoseconds(Int64(now.nanoseconds - clock))
        guard sample <= policy.silence else { return }
        roundTrip = roundTrip.map { ($0 * 7 + sample) / 8 } ?? sample
    }

    /// To be called a few times a second at least.
    public mutating func tick(at now: Duration) throws(LinkFailure) {
        if now - heard >= policy.silence { throw .silent }
        guard isOpen, now >= nextPing else { return }
        nextPing = now + policy.ping
        output += LinkMessage.ping(now.nanoseconds).frame.bytes
    }

    public mutating func part(_ failure: LinkFailure) {
        output += LinkMessage.goodbye(String(failure.description.prefix(200))).frame.bytes
    }

    /// What goes before any message of a meeting. It is bounded while the transport takes no more: a ping a second until
    /// silence ends the link, and one pong.
    public mutating func takeOutput() -> [UInt8] {
        defer { output = [] }
        guard let clock = owedPong else { return output }
        owedPong = nil
        return output + LinkMessage.pong(clock).frame.bytes
    }
}

extension Duration {
    /// Of a time since any one instant, never negative.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds / 1_000_000_000))
    }
}
