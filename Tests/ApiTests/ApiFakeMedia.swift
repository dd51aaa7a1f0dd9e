import Api
import Conference
import Meetings
import Synchronization

/// A media side that answers from a script and notes what it was asked.
final class FakeMedia: MediaPlane {
    enum Call: Equatable {
        case connect(ParticipantID, MeetingID)
        case disconnect(ParticipantID)
        case view(ParticipantID, MediaView)
        case state(ParticipantID, audio: Bool, video: Bool, screen: Bool)
    }

    private struct State {
        var calls: [Call] = []
        var slots: [SlotAssignment] = []
        var connected: Set<ParticipantID> = []
    }

    private let state = Mutex(State())
    let updates: AsyncStream<MediaUpdate>
    private let continuation: AsyncStream<MediaUpdate>.Continuation

    init() { (updates, continuation) = AsyncStream.makeStream(of: MediaUpdate.self) }

    var calls: [Call] { state.withLock { $0.calls } }

    func setSlots(_ slots: [SlotAssignment]) { state.withLock { $0.slots = slots } }

    func tell(_ update: MediaUpdate) { continuation.yield(update) }

    func connect(_ participant: ParticipantID, in meeting: MeetingID, offer: String) async throws -> String {
        switch offer {
        case "full": throw MediaError(.full, "no place")
        case "bad": throw MediaError(.badOffer, "not SDP")
        case "strange": throw MediaError(.unsupported, "no codec")
        default: break
        }
        note(.connect(participant, meeting))
        state.withLock { _ = $0.connected.insert(participant) }
        return "answer to \(offer)"
    }

    func disconnect(_ participant: ParticipantID) async {
        state.withLock { _ = $0.connected.remove(participant) }
        note(.disconnect(participant))
    }

    func setView(_ participant: ParticipantID, _ view: MediaView) async { note(.view(participant, view)) }

    func setMediaState(_ participant: ParticipantID, audio: Bool, video: Bool, screen: Bool) async {
        note(.state(participant, audio: audio, video: video, screen: screen))
    }

    func slots(of participant: ParticipantID) async -> [SlotAssignment] {
        state.withLock { $0.connected.contains(participant) ? $0.slots : [] }
    }

    private func note(_ call: Call) { state.withLock { $0.calls.append(call) } }
}
