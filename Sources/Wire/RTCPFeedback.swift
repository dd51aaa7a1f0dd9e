/// A generic NACK (RFC 4585 section 6.2.1): the sequence numbers that a receiver misses. Iterate it for
/// the numbers, in the order in which they stand.
@frozen
public struct GenericNack: Sequence, IteratorProtocol, BitwiseCopyable {
    public let base: UnsafeRawPointer
    /// Pairs of PID and BLP, each up to 17 numbers.
    public let entryCount: Int
    @usableFromInline var entry: Int
    /// Bits of the current entry that are still to come, the PID's own lowest.
    @usableFromInline var pending: UInt32

    /// Nil when it is another packet or holds no entry.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.transportFeedback, packet.format == 1, packet.bytes.count >= 16 else {
            return nil
        }
        base = packet.base
        entryCount = (packet.bytes.count &- 12) / 4
        entry = -1
        pending = 0
    }

    @inlinable public var senderSSRC: UInt32 { base.be32(4) }
    @inlinable public var mediaSSRC: UInt32 { base.be32(8) }
    /// The first number of an entry; `index` is below `entryCount`.
    @inlinable public func packetID(_ index: Int) -> UInt16 { base.be16(12 &+ index &* 4) }
    /// Bit i set: PID + i + 1 is missed too.
    @inlinable public func bitmask(_ index: Int) -> UInt16 { base.be16(14 &+ index &* 4) }

    @inlinable
    public mutating func next() -> UInt16? {
        if pending == 0 {
            guard entry &+ 1 < entryCount else { return nil }
            entry &+= 1
            pending = UInt32(bitmask(entry)) << 1 | 1
        }
        let bit = pending.trailingZeroBitCount
        pending &= pending &- 1
        return packetID(entry) &+ UInt16(truncatingIfNeeded: bit)
    }
}

/// A picture loss indication (RFC 4585 section 6.3.1).
@frozen
public struct PictureLossIndication: BitwiseCopyable {
    public let senderSSRC: UInt32
    public let mediaSSRC: UInt32

    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.payloadFeedback, packet.format == 1, packet.bytes.count >= 12 else {
            return nil
        }
        senderSSRC = packet.base.be32(4)
        mediaSSRC = packet.base.be32(8)
    }
}

/// A full intra request (RFC 5104 section 4.3.1).
@frozen
public struct FullIntraRequest: BitwiseCopyable {
    public let base: UnsafeRawPointer
    public let entryCount: Int

    /// Nil when it is another packet or holds no entry.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.payloadFeedback, packet.format == 4, packet.bytes.count >= 20 else {
            return nil
        }
        base = packet.base
        entryCount = (packet.bytes.count &- 12) / 8
    }

    @inlinable public var senderSSRC: UInt32 { base.be32(4) }
    /// The source that is asked; `index` is below `entryCount`.
    @inlinable public func ssrc(_ index: Int) -> UInt32 { base.be32(12 &+ index &* 8) }
    /// A repetition has the same number.
    @inlinable public func sequence(_ index: Int) -> UInt8 { base.u8(16 &+ index &* 8) }
}

/// Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 section 2.2).
@frozen
public struct ReceiverEstimate: BitwiseCopyable {
    public let base: UnsafeRawPointer

    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.payloadFeedback, packet.format == 15, packet.bytes.count >= 20,
            packet.base.be32(12) == 0x5245_4d42, packet.bytes.count >= 20 &+ Int(packet.base.u8(16)) &* 4
        else { return nil }
        base = packet.base
    }

    @inlinable public var senderSSRC: UInt32 { base.be32(4) }
    /// Bits per second; `UInt64.max` when it is more.
    @inlinable public var bitrate: UInt64 {
        let exponent = UInt64(base.u8(17) >> 2)
        let mantissa = UInt64(base.be24(17) & 0x3_ffff)
        return mantissa.leadingZeroBitCount < Int(exponent) && mantissa != 0 ? .max : mantissa << exponent
    }
    @inlinable public var sourceCount: Int { Int(base.u8(16)) }
    /// `index` is below `sourceCount`.
    @inlinable public func source(_ index: Int) -> UInt32 { base.be32(20 &+ index &* 4) }
}
