/// Checksums that a sender on this machine left to its device: peers on veth and TAP hand over TCP and UDP whose field
/// holds only the folded sum of the pseudo header (Linux: CHECKSUM_PARTIAL). A kernel that gets such a frame through
/// another interface takes it for damaged.
@frozen
public enum PartialChecksum {
    /// Fills in the checksum of an Ethernet frame whose field holds the pseudo header's sum; leaves every other as it is. A
    /// complete checksum that happens to look like it is computed again to the same value.
    @inlinable
    public static func complete(_ frame: UnsafeMutableRawBufferPointer) {
        guard frame.count > EthernetHeader.length, let base = frame.baseAddress else { return }
        let packet = UnsafeRawBufferPointer(frame).part(EthernetHeader.length, frame.count &- EthernetHeader.length)
        switch UnsafeRawPointer(base).be16(12) {
        case EthernetHeader.ipv4:
            guard let header = IPv4Header(packet), !header.isFragment else { return }
            complete(
                base + EthernetHeader.length + header.headerLength, count: header.payloadLength,
                protocol: header.protocolNumber, source: header.source, destination: header.destination)
        case EthernetHeader.ipv6:
            guard let header = IPv6Header(packet) else { return }
            complete(
                base + EthernetHeader.length + IPv6Header.length, count: header.payloadLength,
                protocol: header.nextHeader, source: header.source, destination: header.destination)
        default: return
        }
    }

    @inlinable
    static func complete(
        _ segment: UnsafeMutableRawPointer, count: Int, protocol number: UInt8, source: IPAddress,
        destination: IPAddress
    ) {
        let field: Int
        switch number {
        case IPProtocol.tcp where count >= 20: field = 16
        case IPProtocol.udp where count >= UDPHeader.length: field = 6
        default: return
        }
        let pseudo = InternetChecksum.fold(
            InternetChecksum.pseudoHeader(source: source, destination: destination, protocol: number, length: count))
        guard UnsafeRawPointer(segment).be16(field) == pseudo else { return }
        // The field holds the pseudo header's sum already: the sum over all is what is to be complemented.
        let sum = InternetChecksum.sum(UnsafeRawPointer(segment), count: count)
        segment.setBE16(
            number == IPProtocol.udp ? InternetChecksum.finishUDP(sum) : InternetChecksum.finish(sum), at: field)
    }
}
