/// Somebody who looks for a PoP.
public struct PlacementClient: Sendable {
    /// Where it is, as far as is known.
    public enum Origin: Sendable {
        /// It reached this PoP by anycast, which therefore is near it.
        case arrived(at: String)
        case position(Position)
    }

    public var origin: Origin
    /// A hash of what stays the same when the client asks again, so that the answer does too.
    public var key: UInt64
    /// PoPs that sent it on already, on this join: it is not sent back to any.
    public var tried: [String]

    public init(origin: Origin, key: UInt64, tried: [String] = []) {
        self.origin = origin
        self.key = key
        self.tried = tried
    }

    /// - Parameter subject: what stays the same when the client asks again.
    public init(origin: Origin, subject: String, tried: [String] = []) {
        self.init(origin: origin, key: StableHash.of(subject), tried: tried)
    }
}

/// Which PoP serves a client.
public struct PlacementDecision: Equatable, Sendable {
    public var pop: String
    /// The client arrived at another PoP, which sends it on (307, or in the socket).
    public var isRedirect: Bool
    /// Where it may go instead, best first.
    public var alternates: [String]
}
