/// Appends RTCP packets to caller memory. Each `add` returns whether its packet fitted; one that did not leaves what
/// was written before untouched.
@frozen
public struct RTCPWriter: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer?
    @usableFromInline let capacity: Int
    @usableFromInline var offset: Int

    @inlinable
    public init(into memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress
        capacity = memory.count
        offset = 0
    }

    /// Bytes written.
    @inlinable public var count: Int { offset }

    /// Room for a packet of `length` bytes, a multiple of 4, header written; nil when it does not fit.
    @inlinable
    mutating func reserve(_ type: UInt8, format: Int, length: Int) -> UnsafeMutableRawPointer? {
        guard let base, format <= 31, length <= 0x4_0000, length <= capacity &- offset else { return nil }
        let packet = base + offset
        packet.setU8(0x80 | UInt8(truncatingIfNeeded: format), at: 0)
        packet.setU8(type, at: 1)
        packet.setBE16(UInt16(truncatingIfNeeded: length / 4 &- 1), at: 2)
        offset &+= length
        return packet
    }

    /// SR with at most 31 blocks.
    @inlinable
    public mutating func addSenderReport(
        ssrc: UInt32, ntpTime: UInt64, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32,
        blocks: UnsafeBufferPointer<ReportBlock> = UnsafeBufferPointer(start: nil, count: 0)
    ) -> Bool {
        let length = 28 &+ blocks.count &* ReportBlock.length
        guard let packet = reserve(RTCPPacket.senderReport, format: blocks.count, length: length) else { return false }
        packet.setBE32(ssrc, at: 4)
        packet.setBE64(ntpTime, at: 8)
        packet.setBE32(rtpTimestamp, at: 16)
        packet.setBE32(packetCount, at: 20)
        packet.setBE32(octetCount, at: 24)
        for index in 0..<blocks.count { blocks[index].store(to: packet, at: 28 &+ index &* ReportBlock.length) }
        return true
    }

    /// RR with at most 31 blocks; one without blocks may lead a compound of feedback.
    @inlinable
    public mutating func addReceiverReport(
        ssrc: UInt32, blocks: UnsafeBufferPointer<ReportBlock> = UnsafeBufferPointer(start: nil, count: 0)
    ) -> Bool {
        let length = 8 &+ blocks.count &* ReportBlock.length
        guard let packet = reserve(RTCPPacket.receiverReport, format: blocks.count, length: length) else {
            return false
        }
        packet.setBE32(ssrc, at: 4)
        for index in 0..<blocks.count { blocks[index].store(to: packet, at: 8 &+ index &* ReportBlock.length) }
        return true
    }

    /// SDES with one chunk: CNAME of at most 255 bytes.
    @inlinable
    public mutating func addSourceDescription(ssrc: UInt32, cname: UnsafeRawBufferPointer) -> Bool {
        // At least one null octet ends the items (RFC 3550 section 6.5).
        let length = (8 &+ 2 &+ cname.count &+ 1 &+ 3) & ~3
        guard cname.count <= 255,
            let packet = reserve(RTCPPacket.sourceDescription, format: 1, length: length)
        else { return false }
        packet.setBE32(0, at: length &- 4)
        packet.setBE32(ssrc, at: 4)
        packet.setU8(1, at: 8)
        packet.setU8(UInt8(truncatingIfNeeded: cname.count), at: 9)
        if let source = cname.baseAddress { (packet + 10).copyMemory(from: source, byteCount: cname.count) }
        return true
    }

    /// BYE of one source.
    @inlinable
    public mutating func addGoodbye(ssrc: UInt32) -> Bool {
        guard let packet = reserve(RTCPPacket.bye, format: 1, length: 8) else { return false }
        packet.setBE32(ssrc, at: 4)
        return true
    }

    /// Generic NACK for as many of `sequences` (ascending modulo 2^16) as fit; returns how many.
    @inlinable
    public mutating func addNack(
        senderSSRC: UInt32, mediaSSRC: UInt32, sequences: UnsafeBufferPointer<UInt16>
    ) -> Int {
        guard sequences.count > 0, let base, capacity &- offset >= 16 else { return 0 }
        let start = offset
        let room = Swift.min((capacity &- offset &- 12) / 4, 0xfffd)
        var taken = 0
        var entries = 0
        while taken < sequences.count, entries < room {
            let first = sequences[taken]
            taken &+= 1
            var mask: UInt16 = 0
            while taken < sequences.count {
                let ahead = Int(sequences[taken] &- first)
                guard ahead <= 16 else { break }
                if ahead > 0 { mask |= 1 << UInt16(truncatingIfNeeded: ahead &- 1) }
                taken &+= 1
            }
            base.setBE16(first, at: start &+ 12 &+ entries &* 4)
            base.setBE16(mask, at: start &+ 14 &+ entries &* 4)
            entries &+= 1
        }
        let packet = reserve(RTCPPacket.transportFeedback, format: 1, length: 12 &+ entries &* 4)
        packet?.setBE32(senderSSRC, at: 4)
        packet?.setBE32(mediaSSRC, at: 8)
        return taken
    }

    @inlinable
    public mutating func addPictureLossIndication(senderSSRC: UInt32, mediaSSRC: UInt32) -> Bool {
        guard let packet = reserve(RTCPPacket.payloadFeedback, format: 1, length: 12) else { return false }
        packet.setBE32(senderSSRC, at: 4)
        packet.setBE32(mediaSSRC, at: 8)
        return true
    }

    /// FIR with one entry; a new request has a new `sequence`.
    @inlinable
    public mutating func addFullIntraRequest(senderSSRC: UInt32, mediaSSRC: UInt32, sequence: UInt8) -> Bool {
        guard let packet = reserve(RTCPPacket.payloadFeedback, format: 4, length: 20) else { return false }
        packet.setBE32(senderSSRC, at: 4)
        packet.setBE32(0, at: 8)
        packet.setBE32(mediaSSRC, at: 12)
        packet.setBE32(UInt32(sequence) << 24, at: 16)
        return true
    }

    /// REMB: bits per second, rounded down to 18 significant bits, for at most 255 sources.
    @inlinable
    public mutating func addReceiverEstimate(
        senderSSRC: UInt32, bitrate: UInt64, sources: UnsafeBufferPointer<UInt32>
    ) -> Bool {
        guard sources.count <= 255,
            let packet = reserve(RTCPPacket.payloadFeedback, format: 15, length: 20 &+ sources.count &* 4)
        else { return false }
        let exponent = Swift.max(0, 64 &- 18 &- bitrate.leadingZeroBitCount)
        packet.setBE32(senderSSRC, at: 4)
        packet.setBE32(0, at: 8)
        packet.setBE32(0x5245_4d42, at: 12)
        packet.setU8(UInt8(truncatingIfNeeded: sources.count), at: 16)
        let mantissa = UInt32(truncatingIfNeeded: bitrate >> UInt64(exponent))
        packet.setBE24(UInt32(truncatingIfNeeded: exponent) << 18 | mantissa, at: 17)
        for index in 0..<sources.count { packet.setBE32(sources[index], at: 20 &+ index &* 4) }
        return true
    }
}
