/// The dependency descriptor header extension ("RTP Payload Format For AV1", appendix A.8): the mandatory fields, and where
/// a template dependency structure stands (`DependencyStructure`).
@frozen
public struct DependencyDescriptor: Sendable, Equatable, BitwiseCopyable {
    public var startsFrame: Bool
    public var endsFrame: Bool
    /// 6 bits.
    public var templateID: UInt8
    public var frameNumber: UInt16
    /// A template dependency structure is attached: only on the first packet of a key frame.
    public var hasStructure: Bool
    /// What the frame means for decode targets stands in the descriptor, in the place of what its template says (frame_dtis).
    public var hasIndications: Bool
    /// active_decode_targets_bitmask is there.
    public var hasTargetMask: Bool

    /// Bytes of the mandatory fields, which most packets have alone.
    @inlinable public static var mandatoryLength: Int { 3 }
    /// The template ids of a structure are below this, and go round there.
    @inlinable public static var templateIDs: UInt8 { 64 }

    /// From the element's value; nil when it has less than 3 bytes.
    @inlinable
    public init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= Self.mandatoryLength, let base = value.baseAddress else { return nil }
        startsFrame = base.u8(0) & 0x80 != 0
        endsFrame = base.u8(0) & 0x40 != 0
        templateID = base.u8(0) & 0x3f
        frameNumber = base.be16(1)
        let flags = value.count > 3 ? base.u8(3) : 0
        hasStructure = flags & 0x80 != 0
        hasTargetMask = flags & 0x40 != 0
        hasIndications = flags & 0x20 != 0
    }

    @inlinable public var startsKeyframe: Bool { startsFrame && hasStructure }

    /// Bits of the mandatory fields and of the 5 flags behind them.
    @inlinable static var flagsEnd: Int { 29 }

    /// The frame's own indications (`hasIndications`) in a descriptor without a structure; nil when they do not fit. `value`
    /// is this view's value.
    @inlinable
    public func indications(in value: UnsafeRawBufferPointer, targetCount: Int) -> TargetIndications? {
        guard hasIndications, !hasStructure else { return nil }
        var reader = BitReader(value, at: Self.flagsEnd)
        if hasTargetMask { reader.skip(targetCount) }
        let indications = TargetIndications(&reader, count: targetCount)
        return reader.isComplete ? indications : nil
    }

    /// Adds to the frame number and to the template ids of a descriptor that lies at `value` (an element's value of
    /// `count` bytes, at least 3), those of a structure included, in wrapping arithmetic of 16 and 6 bits.
    @inlinable
    public static func shift(
        _ value: UnsafeMutableRawPointer, count: Int, frames: UInt16, templates: UInt8
    ) {
        let fields = UnsafeRawPointer(value)
        value.setU8(shifted(fields.u8(0), templates: templates), at: 0)
        value.setBE16(fields.be16(1) &+ frames, at: 1)
        guard count >= 5, fields.u8(3) & 0x80 != 0 else { return }
        // template_id_offset: the 6 bits behind 5 flags.
        let flags = fields.be16(3)
        let offset = UInt16((UInt8(truncatingIfNeeded: flags >> 5) &+ templates) & 0x3f)
        value.setBE16(flags & 0xf81f | offset << 5, at: 3)
    }

    /// The descriptor's first byte with `templates` added to its template id, in wrapping arithmetic of 6 bits.
    @inlinable @inline(__always)
    public static func shifted(_ first: UInt8, templates: UInt8) -> UInt8 {
        first & 0xc0 | (first &+ templates) & 0x3f
    }
}
