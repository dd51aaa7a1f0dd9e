import Wire

/// What a media packet is, written once when it was opened and read by every Sink: it lies in the mbuf's private
/// area and travels with it to sibling workers. Offsets count from the mbuf's first byte.
struct PacketRecord: BitwiseCopyable {
    /// The publisher's sequence number with its roll-overs, so that it never wraps.
    var sequence: UInt64
    /// When it came in, ns of the worker's clock.
    var arrival: UInt64
    /// The publisher's.
    var timestamp: UInt32
    var payloadOffset: UInt16
    var payloadLength: UInt16
    /// Pixels; 0 unless a keyframe tells it.
    var height: UInt16 = 0
    /// What of the source must go on when another one follows.
    var counters = StreamCounters()
    /// Of the dependency descriptor's element; length 0 without one.
    var descriptorOffset: UInt16 = 0
    var descriptorLength: UInt8 = 0
    var descriptorForm = DescriptorForm.none
    /// The descriptor's first byte: whether a frame starts and ends, and the template id.
    var descriptorHead: UInt8 = 0
    var marker: Bool
    /// A receiver that knows nothing can start decoding here.
    var startsKeyframe: Bool
    /// Bytes from the payload's start to the picture id; 0 without one (it is never the first byte).
    var pictureIDOffset: UInt8 = 0
    var pictureIDIsLong = false
    /// Likewise for TL0PICIDX.
    var temporalIndexOffset: UInt8 = 0
    /// RFC 6464: bit 7 voice activity, the rest -dBov; nil as 0xff, which no sender means.
    var audioLevel: UInt8 = 0xff
    /// 3GPP TS 26.114 section 7.4.5; nil as 0xff.
    var orientation: UInt8 = 0xff
    var layer: UInt8 = 0
    var temporal = TemporalLayer.lowest
    /// Of the absolute capture time's element; length 0 without one.
    var captureTimeLength: UInt8 = 0
    var captureTimeOffset: UInt16 = 0
    /// A smaller layer of its Track is sent too, as far as is known.
    var isUpper = false
}

extension PacketRecord {
    /// What of a dependency descriptor a packet has.
    enum DescriptorForm: UInt8, BitwiseCopyable {
        case none
        /// The mandatory fields alone, and nothing beside it that is rare in video: `ShortExtension` holds all of it.
        case short
        case long
    }
}

extension PacketRecord {
    /// Elements that video packets seldom have.
    var hasRareElements: Bool { audioLevel != 0xff || orientation != 0xff }

    mutating func note(pictureID: UInt16, at offset: Int, isLong: Bool) {
        counters.kinds.insert(.picture)
        counters.pictureID = pictureID
        pictureIDOffset = UInt8(truncatingIfNeeded: offset)
        pictureIDIsLong = isLong
    }

    mutating func note(temporalIndex: UInt8, at offset: Int) {
        counters.kinds.insert(.temporalIndex)
        counters.temporalIndex = temporalIndex
        temporalIndexOffset = UInt8(truncatingIfNeeded: offset)
    }
}

extension Mbuf {
    /// What is known of the media packet in it.
    var record: UnsafeMutablePointer<PacketRecord> { metadata(as: PacketRecord.self) }
}

extension PacketRecord {
    /// Makes the picture id and TL0PICIDX of VP8 and VP9 go on where the last source ended (RFC 7741 section 4.2, RFC 9628
    /// section 4.2): what the first 8 bytes of the payload, as they lie in memory, are to be xored with. The descriptors'
    /// fields are among them.
    @inline(__always)
    func descriptorPatch(pictureDelta: UInt16, temporalDelta: UInt8) -> UInt64 {
        if pictureDelta == 0 && temporalDelta == 0 { return 0 }
        var patch: UInt64 = 0
        if pictureIDOffset != 0 {
            let pictureID = counters.pictureID
            let change = (pictureID ^ (pictureID &+ pictureDelta)) & (pictureIDIsLong ? 0x7fff : 0x7f)
            let field = pictureIDIsLong ? UInt64(change.bigEndian) : UInt64(change)
            patch = field &<< (UInt64(pictureIDOffset) &* 8)
        }
        if temporalIndexOffset != 0 {
            let change = counters.temporalIndex ^ (counters.temporalIndex &+ temporalDelta)
            patch |= UInt64(change) &<< (UInt64(temporalIndexOffset) &* 8)
        }
        return patch
    }

    /// A dependency descriptor of nothing but the mandatory fields, which go on likewise, in 24 bits.
    @inline(__always)
    func shortDescriptor(adding delta: Rewriter.DescriptorDelta) -> UInt32 {
        UInt32(DependencyDescriptor.shifted(descriptorHead, templates: delta.templates)) &<< 16
            | UInt32(counters.frameNumber &+ delta.frames)
    }
}
