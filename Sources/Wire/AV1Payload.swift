/// The aggregation header of an AV1 payload ("RTP Payload Format For AV1", section 4.4).
@frozen
public struct AV1Payload: BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer

    /// Nil when nothing follows the aggregation header.
    @inlinable
    public init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 2 else { return nil }
        bytes = payload
    }

    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
    /// Z: the first element continues one of the packet before.
    @inlinable public var continuesElement: Bool { base.u8(0) & 0x80 != 0 }
    /// Y: the last element goes on in the next packet.
    @inlinable public var isContinued: Bool { base.u8(0) & 0x40 != 0 }
    /// W: elements, the last without a length; 0 when each has its length.
    @inlinable public var elementCount: Int { Int(base.u8(0) >> 4 & 3) }
    /// N: the first packet of a coded video sequence.
    @inlinable public var startsSequence: Bool { base.u8(0) & 0x08 != 0 }

    /// A sequence header is inside, whole or its beginning; false when lengths do not hold up to there.
    @inlinable public var hasSequenceHeader: Bool { sequenceHeader != nil }

    /// The OBU with it, or what of it is in this packet.
    @inlinable public var sequenceHeader: UnsafeRawBufferPointer? {
        var offset = 1
        var index = 0
        while offset < bytes.count {
            index &+= 1
            var length = bytes.count &- offset
            if elementCount == 0 || index < elementCount {
                guard let (size, end) = leb128(at: offset), size <= bytes.count &- end else { return nil }
                offset = end
                length = size
            }
            // An element that continues another does not begin with an OBU header; 1 is OBU_SEQUENCE_HEADER.
            if length > 0, index > 1 || !continuesElement, base.u8(offset) >> 3 & 0xf == 1 {
                return bytes.part(offset, length)
            }
            offset &+= length
            if elementCount != 0, index >= elementCount { return nil }
        }
        return nil
    }

    /// An unsigned little-endian base-128 number of at most 4 bytes, and where it ends.
    @inlinable
    func leb128(at start: Int) -> (value: Int, end: Int)? {
        var value = 0
        for index in 0..<4 {
            guard start &+ index < bytes.count else { return nil }
            let byte = base.u8(start &+ index)
            value |= Int(byte & 0x7f) << (7 &* index)
            if byte & 0x80 == 0 { return (value, start &+ index &+ 1) }
        }
        return nil
    }

    @inlinable public var startsKeyframe: Bool { startsSequence || hasSequenceHeader }
}
