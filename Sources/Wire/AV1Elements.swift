/// The OBU elements of an AV1 payload, each an OBU or a fragment of one ("RTP Payload Format For AV1", section 4.3);
/// ends at the first whose length does not hold, and `isComplete` tells.
@frozen
public struct AV1Elements: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let payload: AV1Payload
    @usableFromInline var offset = 1
    @usableFromInline var index = 0

    @inlinable
    init(_ payload: AV1Payload) { self.payload = payload }

    /// All bytes belonged to elements, and there were as many as the payload says, once `next` returned nil.
    @inlinable public var isComplete: Bool {
        offset == payload.bytes.count && (payload.elementCount == 0 || index == payload.elementCount)
    }

    @inlinable
    public mutating func next() -> UnsafeRawBufferPointer? {
        let count = payload.elementCount
        guard offset < payload.bytes.count, count == 0 || index < count else { return nil }
        var start = offset
        var length = payload.bytes.count &- offset
        if count == 0 || index &+ 1 < count {
            guard let (size, end) = payload.leb128(at: offset), size <= payload.bytes.count &- end else { return nil }
            (start, length) = (end, size)
        }
        index &+= 1
        offset = start &+ length
        return payload.bytes.part(start, length)
    }
}

extension AV1Payload {
    /// In their order.
    @inlinable public var elements: AV1Elements { AV1Elements(self) }
}

/// An open bitstream unit (AV1 bitstream specification, section 5.3).
@frozen
public struct AV1Unit: BitwiseCopyable {
    /// The header: one byte, or two with the extension.
    public let header: UnsafeRawBufferPointer
    /// What follows header and size.
    public let body: UnsafeRawBufferPointer

    /// From a whole one, with its size or without; nil when it does not fit.
    @inlinable
    public init?(_ unit: UnsafeRawBufferPointer) {
        guard unit.count >= 1, unit[0] & 0x80 == 0 else { return nil }
        let headerLength = unit[0] & 0x04 != 0 ? 2 : 1
        guard headerLength <= unit.count else { return nil }
        header = unit.part(0, headerLength)
        guard unit[0] & 0x02 != 0 else {
            body = unit.part(headerLength, unit.count &- headerLength)
            return
        }
        var size = 0
        var offset = headerLength
        // obu_size has at most 8 bytes (section 4.10.5), and no unit in a packet or frame needs 5.
        for index in 0..<4 {
            guard offset < unit.count else { return nil }
            size |= Int(unit[offset] & 0x7f) << (7 &* index)
            offset &+= 1
            guard unit[offset &- 1] & 0x80 != 0 else {
                guard size <= unit.count &- offset else { return nil }
                body = unit.part(offset, size)
                return
            }
        }
        return nil
    }

    /// obu_type (section 6.2.2).
    @inlinable public var type: UInt8 { header[0] >> 3 & 0xf }
    @inlinable public static var sequenceHeader: UInt8 { 1 }
    @inlinable public static var temporalDelimiter: UInt8 { 2 }
    @inlinable public static var tileList: UInt8 { 8 }
    @inlinable public static var padding: UInt8 { 15 }
}
