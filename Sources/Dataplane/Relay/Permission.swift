import Wire

/// Whether packets to and from an IP address are relayed (RFC 8656 section 3.3).
struct Permission: BitwiseCopyable {
    static let lifetime: UInt64 = 300_000_000_000

    /// As it is on our wire, and as the client names it.
    var address: IPAddress
    var named: IPAddress
    var expiry: UInt64
    var allocation: UInt32
    /// Of the allocation's, or in the list of free places.
    var next: UInt32
}
