/// What one user, one client address and the node may hold of TURN at once.
public struct AllocationLimits: Sendable, Equatable {
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
