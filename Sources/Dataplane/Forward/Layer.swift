import Mailbox
import Wire

/// One encoding of a Track as this worker receives it, from the publisher or from a sibling worker.
struct Layer: BitwiseCopyable {
    var description: LayerDescription
    /// The media SSRC that is bound to it; 0 while none is.
    var ssrc: UInt32 = 0
    /// When it was bound, ns.
    var boundAt: UInt64 = 0
    /// The highest sequence number with its roll-overs; meaningless until `isStarted`.
    var highest: UInt64 = 0
    /// The first packet of a picture has come.
    var isStarted = false
    var activity = LayerActivity()
    var rate = LayerRate()
    /// Since when anybody wants it, ns; 0: nobody does.
    var wantedSince: UInt64 = 0
    /// Added to the publisher's numbers: each SSRC of a layer gets a range of 2^48 of its own, so that no number stands for
    /// two packets (and no SRTP index toward a receiver is used twice).
    var sequenceBase: UInt64 = 0
    /// Somebody needs a keyframe that was not asked for yet (or not answered).
    var needsKeyframe = false
    /// Pixels: nominal until a keyframe tells it.
    var height: UInt16
    var reception = ReceptionReport()
    /// Of `ssrc`; nil before its first sender report.
    var clock: SourceClock?
    var cache: RetransmissionCache
    // Few packets touch what follows.
    var missing = MissingPackets()
    var templates = TemporalTemplates()

    /// A layer changes its SSRC at most this often, ns.
    static let bindingInterval: UInt64 = 500_000_000

    init(description: LayerDescription, height: UInt16, cache: RetransmissionCache) {
        self.description = description
        self.height = height
        self.cache = cache
    }
}
