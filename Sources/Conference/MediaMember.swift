import Agents
import Mailbox
import Meetings
import Wire

/// A Track of a participant as it was opened on the participant's worker.
struct PublishedTrack {
    /// What was negotiated; a replica on another worker is opened with the same.
    let opening: OpenTrack

    var handle: TrackHandle { opening.track }

    /// The command that opens this Track's replica.
    func replica(_ handle: TrackHandle) -> OpenTrack {
        var copy = opening
        copy.track = handle
        copy.source = .sibling(opening.track)
        return copy
    }
}

/// A receive Slot of a participant and what was put into it.
struct MemberSlot {
    let handle: SlotHandle
    let mid: String
    let kind: MediaKind
    /// Receivable codecs.
    let payloadTypes: PayloadTypeMap
    var source: SourceID?
    /// The source Track that it shows, also where a replica of it is mapped; `none` for an empty Slot.
    var origin = TrackHandle.none
    var maxHeight: UInt16 = 0

    var occupant: ParticipantID? { source?.participant }

    var assignment: SlotAssignment { SlotAssignment(mid: mid, participant: occupant, source: SlotSource(kind)) }
}

/// The media side of a participant: one Session with its Tracks and Slots. The director owns it, and hands it to nobody.
final class MediaMember {
    let id: ParticipantID
    let meeting: MeetingID
    /// Its place in the order of joining; a reconnect keeps it.
    let serial: UInt64
    let session: SessionHandle
    /// What its latest offer and our answer agreed on; without the answer.
    var negotiation: Negotiation {
        didSet { negotiation.answer = "" }
    }
    let tracks: [SourceRole: PublishedTrack]
    /// In the order of the m-lines.
    var slots: [MemberSlot]
    /// What it does not publish does not count.
    var state: PublishedMedia
    var view: MediaView {
        didSet { filled[Int(MediaKind.video.rawValue)] = nil }
    }
    /// The layers that anybody wants of its videos, as their worker told last.
    var wanted: [SourceRole: LayerSet] = [:]
    /// By kind, the meeting's revision for which the Slots were filled; nil where they are to be filled anew.
    var filled: [3 of Int?] = [nil, nil, nil]
    /// It comes from another PoP, and the others go on taking its media from there until its session is connected.
    var isArriving = false
    /// Waits in the director's queue for its Slots to be filled anew.
    var isQueued = false

    init(
        id: ParticipantID, meeting: MeetingID, serial: UInt64, session: SessionHandle, negotiation: Negotiation,
        tracks: [SourceRole: PublishedTrack], slots: [MemberSlot], state: PublishedMedia, view: MediaView
    ) {
        self.id = id
        self.meeting = meeting
        self.serial = serial
        self.session = session
        self.negotiation = negotiation
        self.negotiation.answer = ""
        self.tracks = tracks
        self.slots = slots
        self.state = state
        self.view = view
    }

    /// The worker on which everything of this participant lives.
    var worker: Int { session.worker }

    func slotCount(_ kind: MediaKind) -> Int { slots.count { $0.kind == kind } }

    /// What was negotiated, whether it is on or not.
    var publishes: PublishedMedia {
        PublishedMedia(audio: tracks[.microphone] != nil, video: tracks[.camera] != nil, screen: tracks[.screen] != nil)
    }

    /// The audio Slots of voices whose camera is in the video Slot of the same number. The answer puts both into one stream,
    /// so that the receiver keeps lips and voice together.
    var voicePlaces: [SourceID: Int] {
        var places: [SourceID: Int] = [:]
        for (number, slot) in slots.lazy.filter({ $0.kind == .video }).prefix(slotCount(.audio)).enumerated() {
            if let source = slot.source { places[SourceID(source.participant, .microphone)] = number }
        }
        return places
    }

    /// What others can be given of it.
    func sources() -> MediaSources {
        MediaSources(state) { tracks[$0] != nil }
    }
}

/// What a participant gives to the others now.
struct MediaSources: Equatable {
    enum Audio {
        case none, muted, open
    }

    var microphone = Audio.none
    var sound = Audio.none
    var camera = false
    var screen = false

    init() {}

    /// - Parameter isPublished: whether something was negotiated.
    init(_ state: PublishedMedia, isPublished: (SourceRole) -> Bool) {
        // Who is muted by itself keeps its Slots. Who was muted by a host may not have stopped to send.
        let closed: Audio = state.isSilenced ? .none : .muted
        if isPublished(.microphone) { microphone = state.audio ? .open : closed }
        if isPublished(.sound) {
            // Beside a screen it is the sound of that: it goes on while the microphone is muted, but by a host, as it might
            // carry a voice. A client may have it negotiated long before it shares anything.
            let isOfScreen = isPublished(.screen)
            let isOpen = isOfScreen ? state.screen && !state.isSilenced : state.audio
            sound = isOpen ? .open : isOfScreen ? .none : closed
        }
        camera = isPublished(.camera) && state.video
        screen = isPublished(.screen) && state.screen
    }
}

extension SlotSource {
    init(_ kind: MediaKind) {
        switch kind {
        case .audio: self = .audio
        case .video: self = .video
        case .screen: self = .screen
        }
    }
}
