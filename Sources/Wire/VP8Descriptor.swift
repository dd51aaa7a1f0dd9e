/// The VP8 payload descriptor, and the payload header of a key frame (RFC 7741 sections 4.2 and 4.3).
@frozen
public struct VP8Descriptor: BitwiseCopyable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let payloadCount: Int
    /// Bytes of the descriptor.
    public let length: Int
    /// Where the picture id stands, from the payload's start; 0 when there is none.
    public let pictureIDOffset: Int
    /// Where TL0PICIDX stands; 0 when there is none.
    public let tl0Offset: Int
    /// Where TID, Y and KEYIDX stand; 0 when there is none.
    public let tidOffset: Int

    /// Nil when the descriptor does not fit, or nothing follows it.
    @inlinable
    public init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 2, let base = payload.baseAddress else { return nil }
        var offset = 1
        var picture = 0
        var tl0 = 0
        var tid = 0
        if base.u8(0) & 0x80 != 0 {
            let flags = base.u8(1)
            offset = 2
            if flags & 0x80 != 0 {
                guard offset < payload.count else { return nil }
                picture = offset
                offset &+= base.u8(offset) & 0x80 != 0 ? 2 : 1
            }
            if flags & 0x40 != 0 {
                tl0 = offset
                offset &+= 1
            }
            if flags & 0x30 != 0 {
                tid = offset
                offset &+= 1
            }
        }
        guard offset < payload.count else { return nil }
        self.base = base
        payloadCount = payload.count
        length = offset
        pictureIDOffset = picture
        tl0Offset = tl0
        tidOffset = tid
    }

    /// S: this payload starts a partition.
    @inlinable public var startsPartition: Bool { base.u8(0) & 0x10 != 0 }
    /// PID.
    @inlinable public var partition: UInt8 { base.u8(0) & 7 }
    /// N: no frame refers to this one.
    @inlinable public var isNonReference: Bool { base.u8(0) & 0x20 != 0 }
    @inlinable public var startsFrame: Bool { startsPartition && partition == 0 }
    /// Whether the picture id has 15 bits, else 7.
    @inlinable public var hasLongPictureID: Bool { pictureIDOffset != 0 && base.u8(pictureIDOffset) & 0x80 != 0 }
    @inlinable public var pictureID: UInt16? {
        if pictureIDOffset == 0 { return nil }
        return hasLongPictureID ? base.be16(pictureIDOffset) & 0x7fff : UInt16(base.u8(pictureIDOffset))
    }
    @inlinable public var tl0PictureIndex: UInt8? { tl0Offset == 0 ? nil : base.u8(tl0Offset) }
    /// TID; nil when T is not set.
    @inlinable public var temporalID: UInt8? {
        tidOffset == 0 || base.u8(1) & 0x20 == 0 ? nil : base.u8(tidOffset) >> 6
    }
    /// Y: depends on the base layer only, so one may switch up to this layer here.
    @inlinable public var isLayerSync: Bool { temporalID != nil && base.u8(tidOffset) & 0x20 != 0 }
    /// KEYIDX; nil when K is not set.
    @inlinable public var keyIndex: UInt8? {
        tidOffset == 0 || base.u8(1) & 0x10 == 0 ? nil : base.u8(tidOffset) & 0x1f
    }
    /// The first packet of a key frame: the inverse key frame flag P of the payload header is 0.
    @inlinable public var startsKeyframe: Bool { startsFrame && base.u8(length) & 1 == 0 }

    /// Pixels, from the start of a key frame (RFC 6386 section 9.1); nil elsewhere.
    @inlinable public var size: (width: Int, height: Int)? {
        guard startsKeyframe, length &+ 10 <= payloadCount, base.be24(length &+ 3) == 0x9d_012a else { return nil }
        let width = base.be16(length &+ 6).byteSwapped & 0x3fff
        let height = base.be16(length &+ 8).byteSwapped & 0x3fff
        return (Int(width), Int(height))
    }

    /// Rewrites the picture id in place, in the width that it has, and TL0PICIDX; what is absent stays
    /// absent. `payload` is this view's payload.
    @inlinable
    public func rewrite(in payload: UnsafeMutableRawPointer, pictureID: UInt16, tl0PictureIndex: UInt8) {
        if pictureIDOffset != 0 {
            if hasLongPictureID {
                payload.setBE16(0x8000 | pictureID, at: pictureIDOffset)
            } else {
                payload.setU8(UInt8(truncatingIfNeeded: pictureID & 0x7f), at: pictureIDOffset)
            }
        }
        if tl0Offset != 0 { payload.setU8(tl0PictureIndex, at: tl0Offset) }
    }
}
