/// The mandatory fields of the dependency descriptor header extension ("RTP Payload Format For AV1", appendix A.8).
@frozen
public struct DependencyDescriptor: Sendable, Equatable, BitwiseCopyable {
    public var startsFrame: Bool
    public var endsFrame: Bool
    /// 6 bits.
    public var templateID: UInt8
    public var frameNumber: UInt16
    /// A template dependency structure is attached: only on the first packet of a key frame.
    public var hasStructure: Bool

    /// From the element's value; nil when it has less than 3 bytes.
    @inlinable
    public init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 3, let base = value.baseAddress else { return nil }
        startsFrame = base.u8(0) & 0x80 != 0
        endsFrame = base.u8(0) & 0x40 != 0
        templateID = base.u8(0) & 0x3f
        frameNumber = base.be16(1)
        hasStructure = value.count > 3 && base.u8(3) & 0x80 != 0
    }

    @inlinable public var startsKeyframe: Bool { startsFrame && hasStructure }
}
