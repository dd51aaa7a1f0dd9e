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
    /// When the latest packet came, ns.
    var lastArrival: UInt64 = 0
    var isStarted = false
    /// Added to the publisher's numbers: each SSRC of a layer gets a range of 2^48 of its own, so that no number stands for
    /// two packets (and no SRTP index toward a receiver is used twice).
    var sequenceBase: UInt64 = 0
    /// Somebody needs a keyframe that was not asked for yet (or not answered).
    var needsKeyframe = false
    /// Pixels: nominal until a keyframe tells it.
    var height: UInt16
    /// When a keyframe was last asked for, ns; 0 never.
    var keyframeRequestedAt: UInt64 = 0
    var missing = MissingPackets()
    var reception = ReceptionReport()
    var cache: RetransmissionCache

    /// A layer changes its SSRC at most this often, ns.
    static let bindingInterval: UInt64 = 500_000_000
    /// A keyframe is asked for at most this often, ns: encoders answer each request with a large frame.
    static let keyframeInterval: UInt64 = 300_000_000
    /// Likewise for those who show the layer already, ns.
    static let repeatedKeyframeInterval: UInt64 = 1_000_000_000
    /// A Layer from which nothing came for so long is not sent at present, ns.
    static let silence: UInt64 = 2_000_000_000

    /// Likewise while other layers of the Track go on, ns.
    static let silenceBesideOthers: UInt64 = 700_000_000

    init(description: LayerDescription, height: UInt16, cache: RetransmissionCache) {
        self.description = description
        self.height = height
        self.cache = cache
    }

    /// The publisher sends it.
    func isActive(now: UInt64) -> Bool { isStarted && now &- lastArrival < Self.silence }
}
