/// The counters in a packet of a source that a receiver takes for the stream's: 8 bytes, remembered for each packet that is
/// sent, so that the next source can go on there.
struct StreamCounters: BitwiseCopyable {
    /// Which of them a packet has.
    struct Kinds: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        static let picture = Kinds(rawValue: 1)
        static let temporalIndex = Kinds(rawValue: 2)
        static let frame = Kinds(rawValue: 4)
    }

    var kinds: Kinds = []
    /// TL0PICIDX of VP8 and VP9.
    var temporalIndex: UInt8 = 0
    /// Of VP8 and VP9, 7 or 15 bits.
    var pictureID: UInt16 = 0
    /// Of the dependency descriptor.
    var frameNumber: UInt16 = 0
    /// The template ids of the structure that the packet's descriptor refers to: the first, and the one behind the last;
    /// modulo 64.
    var firstTemplate: UInt8 = 0
    var endTemplate: UInt8 = 0

    /// Takes over those that `other` has.
    mutating func merge(_ other: StreamCounters) {
        if other.kinds.contains(.picture) { pictureID = other.pictureID }
        if other.kinds.contains(.temporalIndex) { temporalIndex = other.temporalIndex }
        if other.kinds.contains(.frame) {
            frameNumber = other.frameNumber
            firstTemplate = other.firstTemplate
            endTemplate = other.endTemplate
        }
        kinds.formUnion(other.kinds)
    }

    /// As they are sent in `epoch`.
    func shifted(by epoch: Rewriter.Epoch) -> StreamCounters {
        var sent = self
        sent.pictureID &+= epoch.pictureDelta
        sent.temporalIndex &+= epoch.temporalDelta
        sent.frameNumber &+= epoch.descriptorDelta.frames
        sent.firstTemplate &+= epoch.descriptorDelta.templates
        sent.endTemplate &+= epoch.descriptorDelta.templates
        return sent
    }
}
