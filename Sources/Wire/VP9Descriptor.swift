/// The VP9 payload descriptor (RFC 9628 section 4.2).
@frozen
public struct VP9Descriptor: BitwiseCopyable {
    @usableFromInline let base: UnsafeRawPointer
    /// Bytes of the descriptor.
    public let length: Int
    /// Where the picture id stands, from the payload's start; 0 when there is none.
    public let pictureIDOffset: Int
    /// Where TID, U, SID and D stand; 0 when there is none.
    public let layerOffset: Int
    /// Where TL0PICIDX stands; 0 when there is none.
    public let tl0Offset: Int
    /// Pixels of the highest spatial layer in the scalability structure; 0 when it names none.
    public let width: Int
    public let height: Int

    /// Nil when the descriptor does not fit, or nothing follows it.
    @inlinable
    public init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 2, let base = payload.baseAddress else { return nil }
        let flags = base.u8(0)
        var offset = 1
        var picture = 0
        var layer = 0
        var tl0 = 0
        if flags & 0x80 != 0 {
            picture = offset
            offset &+= base.u8(offset) & 0x80 != 0 ? 2 : 1
        }
        if flags & 0x20 != 0 {
            layer = offset
            offset &+= 1
            if flags & 0x10 == 0 {
                tl0 = offset
                offset &+= 1
            }
        }
        if flags & 0x50 == 0x50 {
            // Up to three P_DIFF; the lowest bit says that another follows.
            var references = 0
            repeat {
                guard offset < payload.count, references < 3 else { return nil }
                references &+= 1
                offset &+= 1
            } while base.u8(offset &- 1) & 1 != 0
        }
        var size = (0, 0)
        if flags & 0x02 != 0 {
            guard let end = Self.structure(payload, at: offset, size: &size) else { return nil }
            offset = end
        }
        guard offset < payload.count else { return nil }
        self.base = base
        length = offset
        pictureIDOffset = picture
        layerOffset = layer
        tl0Offset = tl0
        width = size.0
        height = size.1
    }

    /// Walks the scalability structure; returns where it ends.
    @inlinable
    static func structure(_ payload: UnsafeRawBufferPointer, at start: Int, size: inout (Int, Int)) -> Int? {
        guard start < payload.count, let base = payload.baseAddress else { return nil }
        let flags = base.u8(start)
        var offset = start &+ 1
        let layers = Int(flags >> 5) &+ 1
        if flags & 0x10 != 0 {
            guard offset &+ 4 &* layers <= payload.count else { return nil }
            offset &+= 4 &* layers
            size = (Int(base.be16(offset &- 4)), Int(base.be16(offset &- 2)))
        }
        guard flags & 0x08 != 0 else { return offset }
        guard offset < payload.count else { return nil }
        let pictures = Int(base.u8(offset))
        offset &+= 1
        for _ in 0..<pictures {
            guard offset < payload.count else { return nil }
            offset &+= 1 &+ Int(base.u8(offset) >> 2 & 3)
        }
        return offset
    }

    /// P: predicted from another frame.
    @inlinable public var isInterPicture: Bool { base.u8(0) & 0x40 != 0 }
    /// F: references are given as differences.
    @inlinable public var isFlexible: Bool { base.u8(0) & 0x10 != 0 }
    /// B: starts a layer frame.
    @inlinable public var startsFrame: Bool { base.u8(0) & 0x08 != 0 }
    /// E: ends a layer frame.
    @inlinable public var endsFrame: Bool { base.u8(0) & 0x04 != 0 }
    /// V: a scalability structure is there.
    @inlinable public var hasStructure: Bool { base.u8(0) & 0x02 != 0 }
    /// Whether the picture id has 15 bits, else 7.
    @inlinable public var hasLongPictureID: Bool { pictureIDOffset != 0 && base.u8(pictureIDOffset) & 0x80 != 0 }
    @inlinable public var pictureID: UInt16? {
        if pictureIDOffset == 0 { return nil }
        return hasLongPictureID ? base.be16(pictureIDOffset) & 0x7fff : UInt16(base.u8(pictureIDOffset))
    }
    @inlinable public var temporalID: UInt8? { layerOffset == 0 ? nil : base.u8(layerOffset) >> 5 }
    @inlinable public var spatialID: UInt8? { layerOffset == 0 ? nil : base.u8(layerOffset) >> 1 & 7 }
    /// U: one may switch up to this temporal layer here.
    @inlinable public var isSwitchingUpPoint: Bool { layerOffset != 0 && base.u8(layerOffset) & 0x10 != 0 }
    /// D: depends on the spatial layer below.
    @inlinable public var isInterLayerPredicted: Bool { layerOffset != 0 && base.u8(layerOffset) & 1 != 0 }
    @inlinable public var tl0PictureIndex: UInt8? { tl0Offset == 0 ? nil : base.u8(tl0Offset) }
    /// The first packet of a key picture: not predicted, starts the frame of the lowest spatial layer.
    @inlinable public var startsKeyframe: Bool { !isInterPicture && startsFrame && spatialID ?? 0 == 0 }
}
