import Wire

/// A channel to a peer (RFC 8656 section 3.5): 128 bytes, two cache lines.
struct Channel: BitwiseCopyable {
    static let lifetime: UInt64 = 600_000_000_000
    /// How often the way to the peer is looked at again, ns.
    static let routeInterval: UInt64 = 5_000_000_000

    /// The headers toward the peer. First, so that a pointer to the Channel points to them.
    var toPeer: FrameTemplate
    /// What checksums owe to the peer's side: addresses, and ports.
    var peerAddressSum: UInt32
    var peerPortSum: UInt32
    var number: UInt16
    /// The peer's address is one of ours: its packets stay inside.
    var isOwn: Bool
    /// The next hop's link address is in `toPeer`.
    var hasRoute: Bool
    var allocation: UInt32
    /// Of the allocation's, or in the list of free places.
    var next: UInt32
    /// As it is on our wire.
    var peerPort: UInt16
    var peerAddress: IPAddress
    var expiry: UInt64
    /// When `hasRoute` is to be looked at again.
    var routeDue: UInt64
    /// Keeps Channels on cache lines of their own.
    private let padding: UInt64 = 0

    init(
        toPeer: FrameTemplate, number: UInt16, isOwn: Bool, allocation: UInt32, peer: Endpoint, now: UInt64
    ) {
        self.toPeer = toPeer
        peerAddressSum = toPeer.addressSum
        peerPortSum = toPeer.portSum
        self.number = number
        self.isOwn = isOwn
        hasRoute = false
        self.allocation = allocation
        next = Link.none
        peerPort = peer.port
        peerAddress = peer.address
        expiry = now &+ Self.lifetime
        routeDue = now
    }

    var peer: Endpoint { Endpoint(address: peerAddress, port: peerPort) }
}
