import Wire

/// The checksums that a port's transmit side fills itself (`Mbuf.requestChecksums`); software does the others.
public struct ChecksumOffload: Sendable, BitwiseCopyable, Equatable {
    public var ipv4Header: Bool
    /// UDP over IPv4 and IPv6.
    public var udp: Bool

    public init(ipv4Header: Bool = false, udp: Bool = false) {
        self.ipv4Header = ipv4Header
        self.udp = udp
    }
}

/// A worker's own way in and out of a Port. The worker is generic over it and specialised, so a call is
/// inlined. Nothing here blocks.
protocol PortQueue: ~Copyable {
    /// False for a worker that the device has no receive queue for: its packets come through a ring.
    var hasReceive: Bool { get }
    /// False for a worker that the device has no transmit queue for: its packets leave through a ring.
    var hasTransmit: Bool { get }
    var offload: ChecksumOffload { get }
    /// Bytes of the longest frame that is sent: by the configured MTU and the device's.
    var maximumFrame: Int { get }
    /// Whether what is transmitted can leave. What is handed to a device whose link is down it may keep, and play back long
    /// afterwards.
    var isLinkUp: Bool { get }
    /// How many frames make a call of `transmit` worthwhile when no more are at hand.
    var transmitBurst: Int { get }

    /// Puts up to `capacity` received mbufs, now the caller's, into `burst`: how many.
    mutating func receive(into burst: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int

    /// Takes the first so many of `count` mbufs, which are the port's then: how many. The rest stays the caller's.
    mutating func transmit(_ burst: UnsafeMutablePointer<Mbuf>, count: Int) -> Int
}

extension PortQueue where Self: ~Copyable {
    var maximumFrame: Int { EthernetHeader.length + 1_500 }
    var isLinkUp: Bool { true }
}
