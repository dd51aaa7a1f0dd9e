/// The prebuilt Ethernet, IP and UDP headers toward one endpoint: 64 bytes, one cache line.
///
/// The 42 (IPv4) or 62 (IPv6) header bytes lie as on the wire in little-endian words, lengths, identification and
/// checksums zero. The last 16 bits hold the pseudo header's sum without the length, and for IPv4
/// the 16 bits before it the IP header's sum without length and identification.
@frozen
public struct FrameTemplate: Sendable, BitwiseCopyable {
    @usableFromInline
    var words: InlineArray<8, UInt64>

    /// The endpoints are of the same family. `dontFragment` is IPv4's; without it `write` wants an identification.
    public init(
        source: Endpoint, destination: Endpoint, sourceMAC: MACAddress, destinationMAC: MACAddress,
        trafficClass: UInt8 = 0, dontFragment: Bool = true
    ) {
        var words = InlineArray<8, UInt64>(repeating: 0)
        withUnsafeMutableBytes(of: &words) { bytes in
            let frame = bytes.baseAddress!
            let isV4 = destination.address.isV4
            EthernetHeader(
                destination: destinationMAC, source: sourceMAC,
                etherType: isV4 ? EthernetHeader.ipv4 : EthernetHeader.ipv6
            ).write(to: frame)
            if isV4 {
                IPv4Header.write(
                    to: frame + 14, source: source.address, destination: destination.address,
                    protocol: IPProtocol.udp, payloadLength: -20, trafficClass: trafficClass)
                frame.setBE16(0, at: 24)
                if !dontFragment { frame.setBE16(0, at: 20) }
                frame.setBE16(UInt16(truncatingIfNeeded: InternetChecksum.sum(frame + 14, count: 20)), at: 60)
            } else {
                IPv6Header.write(
                    to: frame + 14, source: source.address, destination: destination.address,
                    nextHeader: IPProtocol.udp, payloadLength: 0, trafficClass: trafficClass)
            }
            frame.setBE16(source.port, at: isV4 ? 34 : 54)
            frame.setBE16(destination.port, at: isV4 ? 36 : 56)
            let pseudo = InternetChecksum.pseudoHeader(
                source: source.address, destination: destination.address, protocol: IPProtocol.udp, length: 0)
            frame.setBE16(UInt16(truncatingIfNeeded: pseudo), at: 62)
        }
        self.words = words
    }

    @inlinable @inline(__always)
    public var isV4: Bool {
        // EtherType, bytes 12 and 13: 08 00 or 86 dd.
        words[1] >> 32 & 0xff == 0x08
    }

    /// Bytes of the headers: 42 or 62.
    @inlinable @inline(__always)
    public var length: Int { isV4 ? 42 : 62 }

    /// The link address of the next hop as the low 48 bits of the first word of a frame; comparable with `word(of:)`.
    @inlinable
    public var destinationWord: UInt64 { words[0] & 0xffff_ffff_ffff }

    @inlinable
    public static func word(of mac: MACAddress) -> UInt64 { (mac.bits << 16).byteSwapped }

    /// Sends to another link address from now on.
    @inlinable
    public mutating func redirect(to mac: MACAddress) { words[0] = words[0] & ~0xffff_ffff_ffff | Self.word(of: mac) }

    /// The sum of the pseudo header without the length, and of the ports: what a checksum owes to the two endpoints,
    /// the same in both directions.
    @inlinable
    public var addressSum: UInt32 { pseudoSum(0) }
    @inlinable
    public var portSum: UInt32 {
        // Bytes 34 to 37, or 54 to 57.
        if isV4 {
            let ports = words[4] >> 16
            return UInt32(UInt16(truncatingIfNeeded: ports).byteSwapped)
                &+ UInt32(UInt16(truncatingIfNeeded: ports >> 16).byteSwapped)
        }
        return UInt32(UInt16(truncatingIfNeeded: words[6] >> 48).byteSwapped)
            &+ UInt32(UInt16(truncatingIfNeeded: words[7]).byteSwapped)
    }

    /// Writes the headers (`length` bytes) for a UDP payload of `payloadLength` bytes that follows them: lengths and
    /// the IPv4 header checksum are filled in, the UDP checksum is 0. `identification` is IPv4's.
    @inlinable @inline(__always)
    public func write(into frame: UnsafeMutableRawPointer, payloadLength: Int, identification: UInt16 = 0) {
        let udpLength = UInt16(truncatingIfNeeded: payloadLength &+ UDPHeader.length)
        frame.storeBytes(of: words[0], toByteOffset: 0, as: UInt64.self)
        frame.storeBytes(of: words[1], toByteOffset: 8, as: UInt64.self)
        frame.storeBytes(of: words[2], toByteOffset: 16, as: UInt64.self)
        frame.storeBytes(of: words[3], toByteOffset: 24, as: UInt64.self)
        frame.storeBytes(of: words[4], toByteOffset: 32, as: UInt64.self)
        if isV4 {
            frame.storeBytes(of: UInt16(truncatingIfNeeded: words[5]), toByteOffset: 40, as: UInt16.self)
            let totalLength = udpLength &+ 20
            frame.setBE16(totalLength, at: 16)
            frame.setBE16(identification, at: 18)
            let sum = headerSum &+ UInt32(totalLength) &+ UInt32(identification)
            frame.setBE16(InternetChecksum.finish(sum), at: 24)
            frame.setBE16(udpLength, at: 38)
        } else {
            frame.storeBytes(of: words[5], toByteOffset: 40, as: UInt64.self)
            frame.storeBytes(of: words[6], toByteOffset: 48, as: UInt64.self)
            frame.storeBytes(of: UInt32(truncatingIfNeeded: words[7]), toByteOffset: 56, as: UInt32.self)
            frame.storeBytes(of: UInt16(truncatingIfNeeded: words[7] >> 32), toByteOffset: 60, as: UInt16.self)
            frame.setBE16(udpLength, at: 18)
            frame.setBE16(udpLength, at: 58)
        }
    }

    /// Fills in the UDP checksum, in software, of a frame that `write` began and whose payload is in place.
    @inlinable
    public func fillChecksum(in frame: UnsafeMutableRawPointer, payloadLength: Int) {
        let udpOffset = length &- UDPHeader.length
        let udpLength = payloadLength &+ UDPHeader.length
        frame.setBE16(0, at: udpOffset &+ 6)
        let sum = pseudoSum(udpLength) &+ InternetChecksum.sum(frame + udpOffset, count: udpLength)
        frame.setBE16(InternetChecksum.finishUDP(sum), at: udpOffset &+ 6)
    }

    /// Fills in the pseudo header's sum, not complemented: what a device wants that computes the rest.
    @inlinable @inline(__always)
    public func fillPseudoHeaderSum(in frame: UnsafeMutableRawPointer, payloadLength: Int) {
        let sum = InternetChecksum.fold(pseudoSum(payloadLength &+ UDPHeader.length))
        frame.setBE16(sum, at: length &- 2)
    }

    /// The IPv4 header's sum without length and identification: bytes 60 and 61.
    @inlinable @inline(__always)
    var headerSum: UInt32 { UInt32(UInt16(bigEndian: UInt16(truncatingIfNeeded: words[7] >> 32))) }

    /// The pseudo header's sum, its length included: bytes 62 and 63 and the argument.
    @inlinable @inline(__always)
    func pseudoSum(_ udpLength: Int) -> UInt32 {
        UInt32(UInt16(bigEndian: UInt16(truncatingIfNeeded: words[7] >> 48))) &+ UInt32(truncatingIfNeeded: udpLength)
    }
}
