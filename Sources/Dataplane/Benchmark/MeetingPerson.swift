import Mailbox
import Wire

/// Somebody in a meeting of ten: what the next packets need, both ways. Times are ns of the virtual clock.
struct MeetingPerson {
    /// Of each meeting.
    static let count = 10
    static let videoSlots = 9
    static let audioSlots = 3
    static let slots = videoSlots + audioSlots

    let peer: BenchmarkPeer
    /// Among all.
    let number: Int
    /// What it seals with, and what it opens with.
    let sealing: SRTPTransform
    let opening: SRTPTransform
    /// All that it gets is opened and looked into.
    let isStrict: Bool
    /// Of what is sent to it, one in so many thousand.
    let loss: UInt64

    // What it publishes.

    /// The picture that is sent, and the packet of it that is next.
    var picture: UInt64 = 0
    var place = 0
    var isKeyframe = true
    var wantsKeyframe = false
    /// The number of the latest keyframe, from which the temporal layers count.
    var keyframe: UInt64 = 0
    var temporalIndex: UInt8 = 0
    var pictureBegan: UInt64
    var videoDue: UInt64
    var audioDue: UInt64
    var audioIndex: UInt64 = 1_000
    var transportSequence: UInt16 = 0
    /// Below 0 dBov.
    var level: UInt8 = 100

    // What it sends beside media.

    var rtcpIndex: UInt32 = 0
    var reportDue: UInt64
    var checkDue: UInt64
    var feedbackDue: UInt64
    var lossIndicationDue: UInt64

    // What it got.

    /// By transport-wide number, with roll-overs: up to which it told, and up to which came.
    var toldEnd: UInt64 = 0
    var heardEnd: UInt64 = 0
    var feedbackCount: UInt8 = 0
    var missing = 0
    /// The middle of the latest sender report's NTP time, and when that came.
    var senderReport: UInt32 = 0
    var senderReportAt: UInt64 = 0

    /// The place in its meeting.
    var seat: Int { number % Self.count }
    /// Three of ten look at the speaker in large, seven at a gallery.
    var hasSpeakerView: Bool { seat >= 7 }

    var camera: TrackHandle { TrackHandle(worker: 0, index: UInt32(number * 2), generation: 1) }
    var microphone: TrackHandle { TrackHandle(worker: 0, index: UInt32(number * 2 + 1), generation: 1) }
    var microphoneSsrc: UInt32 { 0x2200_0000 | UInt32(number) << 4 }
    func cameraSsrc(_ layer: Int) -> UInt32 { 0x2000_0000 | UInt32(number) << 4 | UInt32(layer) }
    func slot(_ place: Int) -> SlotHandle {
        SlotHandle(worker: 0, index: UInt32(number * Self.slots + place), generation: 1)
    }
}

/// One of the three sizes of a camera.
struct MeetingLayer: BitwiseCopyable {
    /// Of the next packet, with roll-overs.
    var index: UInt64 = 1_000
    /// Packets since somebody began to count.
    var packets = 0

    /// RTP payload of a packet, bytes: 0.1, 0.4 and 1.2 Mbit/s at 30 pictures a second.
    static let payloads = [417, 833, 1_000]
    /// Packets of a picture, and those of a keyframe for each of them.
    static let counts = [1, 2, 5]
    static let keyframeFactor = 4
    /// ns.
    static let pictureInterval: UInt64 = 33_333_333
    /// ns that a byte takes to leave its sender, who paces at 2.5 times the rate of all layers.
    static let byteTime: UInt64 = 1_882
    static let soundBytes = 160
    static let soundInterval: UInt64 = 20_000_000
}

/// What came for one Slot of somebody.
struct MeetingSlot: BitwiseCopyable {
    /// Whose source is in it, and since when.
    var person: Int32 = -1
    var changedAt: UInt64 = 0
    var height: UInt16 = 0
    var lastSequence: UInt16 = 0
    var hasStarted = false
    var hasRepairs = false
    /// Strict people know the pictures' ids.
    var pictureID: UInt16 = 0
    var hasPicture = false
    /// Since somebody began to count.
    var packets = 0
}

/// What somebody asks for again.
struct MeetingLoss: BitwiseCopyable {
    static let most = 32

    var slot: UInt32
    var sequence: UInt16
    var tries: UInt8 = 0
    var due: UInt64
}
