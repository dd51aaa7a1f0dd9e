/// A reception report block (RFC 3550 section 6.4.1).
@frozen
public struct ReportBlock: Sendable, Equatable, BitwiseCopyable {
    public var ssrc: UInt32
    /// Lost of expected since the last report, in 1/256.
    public var fractionLost: UInt8
    /// Signed 24 bits; clamped when written.
    public var cumulativeLost: Int32
    /// Cycles in the upper 16 bits.
    public var highestSequence: UInt32
    /// In units of the RTP clock.
    public var jitter: UInt32
    /// The middle 32 bits of the last sender report's NTP time; 0 when none came.
    public var lastSenderReport: UInt32
    /// Since that report, in 1/65536 s.
    public var delaySinceLastSenderReport: UInt32

    @inlinable public static var length: Int { 24 }

    @inlinable
    public init(
        ssrc: UInt32, fractionLost: UInt8 = 0, cumulativeLost: Int32 = 0, highestSequence: UInt32 = 0,
        jitter: UInt32 = 0, lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.highestSequence = highestSequence
        self.jitter = jitter
        self.lastSenderReport = lastSenderReport
        self.delaySinceLastSenderReport = delaySinceLastSenderReport
    }

    /// From 24 bytes.
    @inlinable
    public init(load bytes: UnsafeRawPointer, at offset: Int = 0) {
        ssrc = bytes.be32(offset)
        fractionLost = bytes.u8(offset &+ 4)
        cumulativeLost = Int32(bitPattern: bytes.be24(offset &+ 5) << 8) >> 8
        highestSequence = bytes.be32(offset &+ 8)
        jitter = bytes.be32(offset &+ 12)
        lastSenderReport = bytes.be32(offset &+ 16)
        delaySinceLastSenderReport = bytes.be32(offset &+ 20)
    }

    /// Writes 24 bytes.
    @inlinable
    public func store(to bytes: UnsafeMutableRawPointer, at offset: Int = 0) {
        let lost = Swift.min(Swift.max(cumulativeLost, -0x80_0000), 0x7f_ffff)
        bytes.setBE32(ssrc, at: offset)
        bytes.setU8(fractionLost, at: offset &+ 4)
        bytes.setBE24(UInt32(bitPattern: lost), at: offset &+ 5)
        bytes.setBE32(highestSequence, at: offset &+ 8)
        bytes.setBE32(jitter, at: offset &+ 12)
        bytes.setBE32(lastSenderReport, at: offset &+ 16)
        bytes.setBE32(delaySinceLastSenderReport, at: offset &+ 20)
    }
}

/// A sender report (RFC 3550 section 6.4.1).
@frozen
public struct SenderReport: BitwiseCopyable {
    public let base: UnsafeRawPointer

    /// Nil when it is of another type or its blocks do not fit.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.senderReport,
            packet.bytes.count >= 28 &+ Int(packet.format) &* ReportBlock.length
        else { return nil }
        base = packet.base
    }

    @inlinable public var ssrc: UInt32 { base.be32(4) }
    /// Seconds since 1900 in the upper 32 bits, fraction in the lower.
    @inlinable public var ntpTime: UInt64 { base.be64(8) }
    @inlinable public var rtpTimestamp: UInt32 { base.be32(16) }
    @inlinable public var packetCount: UInt32 { base.be32(20) }
    @inlinable public var octetCount: UInt32 { base.be32(24) }
    @inlinable public var blockCount: Int { Int(base.u8(0) & 0x1f) }
    /// `index` is below `blockCount`.
    @inlinable public func block(_ index: Int) -> ReportBlock {
        ReportBlock(load: base, at: 28 &+ index &* ReportBlock.length)
    }
}

/// A receiver report (RFC 3550 section 6.4.2).
@frozen
public struct ReceiverReport: BitwiseCopyable {
    public let base: UnsafeRawPointer

    /// Nil when it is of another type or its blocks do not fit.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.receiverReport,
            packet.bytes.count >= 8 &+ Int(packet.format) &* ReportBlock.length
        else { return nil }
        base = packet.base
    }

    @inlinable public var ssrc: UInt32 { base.be32(4) }
    @inlinable public var blockCount: Int { Int(base.u8(0) & 0x1f) }
    /// `index` is below `blockCount`.
    @inlinable public func block(_ index: Int) -> ReportBlock {
        ReportBlock(load: base, at: 8 &+ index &* ReportBlock.length)
    }
}

/// The first chunk of a source description: source and CNAME (RFC 3550 section 6.5).
@frozen
public struct SourceDescription: BitwiseCopyable {
    public let ssrc: UInt32
    /// At most 255 bytes; empty when there is no CNAME.
    public let cname: UnsafeRawBufferPointer

    /// Nil when it is of another type, holds no chunk, or an item does not fit.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        let bytes = packet.bytes
        guard packet.type == RTCPPacket.sourceDescription, packet.format > 0, bytes.count >= 12 else { return nil }
        ssrc = packet.base.be32(4)
        var offset = 8
        while offset < bytes.count, packet.base.u8(offset) != 0 {
            guard offset &+ 2 <= bytes.count else { return nil }
            let length = Int(packet.base.u8(offset &+ 1))
            guard offset &+ 2 &+ length <= bytes.count else { return nil }
            if packet.base.u8(offset) == 1 {
                cname = bytes.part(offset &+ 2, length)
                return
            }
            offset &+= 2 &+ length
        }
        cname = UnsafeRawBufferPointer(start: nil, count: 0)
    }
}

/// A goodbye (RFC 3550 section 6.6); its reason is not read.
@frozen
public struct Goodbye: BitwiseCopyable {
    public let base: UnsafeRawPointer

    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.bye, packet.bytes.count >= 4 &+ Int(packet.format) &* 4 else { return nil }
        base = packet.base
    }

    @inlinable public var sourceCount: Int { Int(base.u8(0) & 0x1f) }
    /// `index` is below `sourceCount`.
    @inlinable public func source(_ index: Int) -> UInt32 { base.be32(4 &+ index &* 4) }
}
