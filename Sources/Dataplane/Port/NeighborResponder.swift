import CDPDK
import Mailbox
import Wire

/// What became of a frame that was shown to the `NeighborResponder`.
enum NeighborAnswer: BitwiseCopyable, Equatable {
    /// The mbuf now holds the answer: transmit it.
    case reply
    /// The frame taught us a neighbour that we asked for. Workers on other queues, who never see it, want to be
    /// shown it too (`handle`, with a reference of their own); then free it.
    case learned
    /// For us and done with, or not worth an answer: count the reason, free it.
    case drop(DropReason)
    /// Not ours: an address of another, or a protocol that is not spoken here.
    case foreign
}

/// Speaks for the port's own addresses: answers ARP requests (RFC 826), neighbour solicitations (RFC 4861) and
/// echo requests (RFC 792, RFC 4443) in the mbuf in which they came, and finds the next hop of what is to be sent.
///
/// One per worker, used by its thread alone; allocates nothing after `init`.
struct NeighborResponder: ~Copyable {
    let mac: MACAddress
    let gatewayV4: IPAddress?
    let gatewayV6: IPAddress?
    let interfaces: UnsafeMutablePointer<HostConfiguration.Interface>
    let interfaceCount: Int
    var neighbors: NeighborTable

    init(_ configuration: HostConfiguration, neighbors capacity: Int = 64) {
        let all = configuration.interfaces.prefix(HostConfiguration.mostInterfaces)
        mac = configuration.mac
        gatewayV4 = configuration.gatewayV4
        gatewayV6 = configuration.gatewayV6
        interfaceCount = all.count
        interfaces = .allocate(capacity: HostConfiguration.mostInterfaces)
        for (index, interface) in all.enumerated() { (interfaces + index).initialize(to: interface) }
        neighbors = NeighborTable(capacity: capacity)
    }

    deinit { interfaces.deallocate() }

    /// Whether `address` is one of the port's own.
    @inline(__always)
    func isOwn(_ address: IPAddress) -> Bool {
        for index in 0..<interfaceCount where interfaces[index].address == address { return true }
        return false
    }

    /// How to reach `destination`: on the link of one of our interfaces, or by the gateway. What is not known yet
    /// is asked for by `makeRequests`.
    mutating func nextHop(to destination: IPAddress, now: UInt64) -> NextHop { .unreachable }

    /// An ARP, ICMP or ICMPv6 frame (any frame may be shown). `now` in ns.
    mutating func handle(_ mbuf: Mbuf, now: UInt64) -> NeighborAnswer { .foreign }

    /// Makes the ARP requests and neighbour solicitations that are due, to be transmitted: how many. Call it from
    /// housekeeping.
    mutating func makeRequests(
        into burst: UnsafeMutablePointer<Mbuf>, capacity: Int, pool: BufferPool, now: UInt64
    ) -> Int { 0 }
}
