/// What an extended report says of times (RFC 3611 sections 4.4 and 4.5): a receiver that sends nothing itself measures its
/// round trip with them. Other blocks are skipped.
@frozen
public struct ExtendedReport: BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer

    /// Nil when it is another packet.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.extendedReport, packet.bytes.count >= 8 else { return nil }
        bytes = packet.bytes
    }

    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
    @inlinable public var senderSSRC: UInt32 { base.be32(4) }

    /// The NTP time of the first receiver reference time block.
    @inlinable public var referenceTime: UInt64? {
        guard let offset = block(4, length: 12) else { return nil }
        return base.be64(offset &+ 4)
    }

    /// The echo for `ssrc` in the first DLRR block.
    @inlinable
    public func echo(for ssrc: UInt32) -> ReferenceTimeEcho? {
        guard let offset = block(5, length: 4) else { return nil }
        let end = offset &+ 4 &+ Int(base.be16(offset &+ 2)) &* 4
        var place = offset &+ 4
        while place &+ ReferenceTimeEcho.length <= end {
            if base.be32(place) == ssrc {
                return ReferenceTimeEcho(ssrc: ssrc, referenceTime: base.be32(place &+ 4), delay: base.be32(place &+ 8))
            }
            place &+= ReferenceTimeEcho.length
        }
        return nil
    }

    /// Where the first block of a type starts that has at least `length` bytes; nil when lengths do not hold up to there.
    @inlinable
    func block(_ type: UInt8, length: Int) -> Int? {
        var offset = 8
        while offset &+ 4 <= bytes.count {
            let size = (Int(base.be16(offset &+ 2)) &+ 1) &* 4
            guard offset &+ size <= bytes.count else { return nil }
            if base.u8(offset) == type, size >= length { return offset }
            offset &+= size
        }
        return nil
    }
}

/// The answer to a receiver reference time: a sub-block of DLRR (RFC 3611 section 4.5).
@frozen
public struct ReferenceTimeEcho: Sendable, Equatable, BitwiseCopyable {
    /// Who sent the reference time.
    public var ssrc: UInt32
    /// The middle 32 bits of its NTP time.
    public var referenceTime: UInt32
    /// Since it came in, in 1/65536 s.
    public var delay: UInt32

    @inlinable public static var length: Int { 12 }

    @inlinable
    public init(ssrc: UInt32, referenceTime: UInt32, delay: UInt32) {
        self.ssrc = ssrc
        self.referenceTime = referenceTime
        self.delay = delay
    }
}

extension RTCPWriter {
    /// XR with one DLRR block.
    @inlinable
    public mutating func addReferenceTimeEchoes(senderSSRC: UInt32, _ echoes: UnsafeBufferPointer<ReferenceTimeEcho>)
        -> Bool
    {
        let length = 12 &+ echoes.count &* ReferenceTimeEcho.length
        guard let packet = reserve(RTCPPacket.extendedReport, format: 0, length: length) else { return false }
        packet.setBE32(senderSSRC, at: 4)
        packet.setU8(5, at: 8)
        packet.setU8(0, at: 9)
        packet.setBE16(UInt16(truncatingIfNeeded: echoes.count &* 3), at: 10)
        for (index, echo) in echoes.enumerated() {
            let place = 12 &+ index &* ReferenceTimeEcho.length
            packet.setBE32(echo.ssrc, at: place)
            packet.setBE32(echo.referenceTime, at: place &+ 4)
            packet.setBE32(echo.delay, at: place &+ 8)
        }
        return true
    }

    /// XR with a receiver reference time block.
    @inlinable
    public mutating func addReferenceTime(senderSSRC: UInt32, ntpTime: UInt64) -> Bool {
        guard let packet = reserve(RTCPPacket.extendedReport, format: 0, length: 20) else { return false }
        packet.setBE32(senderSSRC, at: 4)
        packet.setU8(4, at: 8)
        packet.setU8(0, at: 9)
        packet.setBE16(2, at: 10)
        packet.setBE64(ntpTime, at: 12)
        return true
    }
}
