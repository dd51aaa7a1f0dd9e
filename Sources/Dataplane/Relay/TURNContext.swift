import Mailbox
import Wire

/// A TURN message's client and the buffer that it lies in.
struct TURNContext: BitwiseCopyable {
    var client: TURNClient
    /// The client's 5-tuple in the tables.
    var key: FlowKey
    /// Where answers over UDP go on the link.
    var clientMAC: MACAddress
    /// Whoever answers takes it over.
    var packet: Mbuf
    /// Of the message in the packet.
    var messageOffset: Int
    var trafficClass: UInt8
    /// It does not cross to another worker (again).
    var isHandedOver: Bool
}
