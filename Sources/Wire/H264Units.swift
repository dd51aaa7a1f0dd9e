/// The whole NAL units of a payload: the single one, or those of a STAP-A (RFC 6184 sections 5.6 and 5.7.1). None of a
/// payload of another type; ends at the first that does not fit, and `isComplete` tells.
@frozen
public struct H264Units: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let payload: UnsafeRawBufferPointer
    @usableFromInline let isAggregated: Bool
    @usableFromInline var offset: Int

    @inlinable
    public init(_ payload: UnsafeRawBufferPointer) {
        self.payload = payload
        let type = payload.isEmpty ? 0 : payload[0] & 0x1f
        isAggregated = type == 24
        offset = isAggregated ? 1 : 1...23 ~= type ? 0 : payload.count
    }

    /// All bytes belonged to units, once `next` returned nil.
    @inlinable public var isComplete: Bool { offset == payload.count }

    @inlinable
    public mutating func next() -> UnsafeRawBufferPointer? {
        guard offset < payload.count, let base = payload.baseAddress else { return nil }
        guard isAggregated else {
            offset = payload.count
            return payload
        }
        guard offset &+ 3 <= payload.count else { return nil }
        let size = Int(base.be16(offset))
        guard size > 0, offset &+ 2 &+ size <= payload.count else { return nil }
        defer { offset = offset &+ 2 &+ size }
        return payload.part(offset &+ 2, size)
    }
}

/// A fragment of a NAL unit, an FU-A (RFC 6184 section 5.8).
@frozen
public struct H264Fragment: BitwiseCopyable {
    /// Behind both headers; not empty.
    public let bytes: UnsafeRawBufferPointer
    public let isFirst: Bool
    public let isLast: Bool
    /// The first byte of the unit that is fragmented.
    public let header: UInt8

    /// Nil when it is of another type, empty, or says that it is both the first and the last.
    @inlinable
    public init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 3, payload[0] & 0x1f == 28, payload[1] & 0xc0 != 0xc0 else { return nil }
        bytes = payload.part(2, payload.count &- 2)
        isFirst = payload[1] & 0x80 != 0
        isLast = payload[1] & 0x40 != 0
        header = payload[0] & 0xe0 | payload[1] & 0x1f
    }
}
