import Wire

/// The headers of a frame whose UDP checksum is left to the device, as UDP segmentation offload wants them: consecutive
/// datagrams of one flow are sent as one, with one set of headers for all of it.
struct SegmentHeaders {
    /// Bytes of IP's total length, or of what follows IPv6's header, at most.
    static let longestPacket = 65_535

    private let frame: UnsafeRawPointer
    let isV4: Bool
    /// Bytes of the frame.
    let frameLength: Int

    /// Nil for a frame that has its checksum, or is longer or shorter than its headers say.
    @inline(__always)
    init?(_ mbuf: Mbuf) {
        guard mbuf.leavesUDPChecksum else { return nil }
        frame = UnsafeRawPointer(mbuf.data)
        frameLength = mbuf.length
        isV4 = frame.be16(12) == EthernetHeader.ipv4
        let told = isV4 ? Int(frame.be16(16)) &+ 14 : Int(frame.be16(18)) &+ 54
        guard told == frameLength else { return nil }
    }

    /// Bytes of the headers: where the UDP payload starts.
    @inline(__always)
    var length: Int { isV4 ? 42 : 62 }
    @inline(__always)
    var udpOffset: Int { isV4 ? 34 : 54 }
    @inline(__always)
    var payloadLength: Int { frameLength &- length }

    /// Whether `next` differs in nothing but identification, lengths and checksums.
    @inline(__always)
    func isSameFlow(as next: SegmentHeaders) -> Bool {
        guard isV4 == next.isV4 else { return false }
        // Words of the wire's bytes, the first one lowest.
        var differs = difference(next, 0) | difference(next, 8)
        if isV4 {
            differs |= difference(next, 16) >> 32 | difference(next, 24) >> 16 | difference(next, 32) << 16
        } else {
            differs |= difference(next, 16) & ~0xffff_0000 | difference(next, 24) | difference(next, 32)
            differs |= difference(next, 40) | difference(next, 48)
            differs |= UInt64(frame.be16(56) ^ next.frame.be16(56))
        }
        return differs == 0
    }

    @inline(__always)
    private func difference(_ other: SegmentHeaders, _ offset: Int) -> UInt64 {
        frame.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            ^ other.frame.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// Writes these headers for `payload` bytes instead of this frame's own: lengths, IPv4's header checksum, and in the
    /// place of UDP's the pseudo header's sum (RFC 1624 equation 3, from what is there).
    @inline(__always)
    func write(to whole: UnsafeMutableRawPointer, payload: Int) {
        whole.copyMemory(from: frame, byteCount: length)
        let oldUDP = UInt16(truncatingIfNeeded: payloadLength &+ UDPHeader.length)
        let newUDP = UInt16(truncatingIfNeeded: payload &+ UDPHeader.length)
        if isV4 {
            let total = newUDP &+ 20
            whole.setBE16(total, at: 16)
            whole.setBE16(InternetChecksum.updated(frame.be16(24), from: oldUDP &+ 20, to: total), at: 24)
        } else {
            whole.setBE16(newUDP, at: 18)
        }
        whole.setBE16(newUDP, at: udpOffset &+ 4)
        let sum = UInt32(frame.be16(udpOffset &+ 6)) &+ UInt32(~oldUDP) &+ UInt32(newUDP)
        whole.setBE16(InternetChecksum.fold(sum), at: udpOffset &+ 6)
    }
}
