import Api
import Conference
import Meetings
import Synchronization

/// A media side that answers from a script and notes what it was asked.
final class FakeMedia: MediaPlane {
    enum Call: Equatable {
        case connect(ParticipantID, MeetingID, PublishedMedia, MediaView)
        case restart(ParticipantID, String)
        case disconnect(ParticipantID)
        case view(ParticipantID, MediaView)
        case state(ParticipantID, PublishedMedia)
        case repeatWanted(ParticipantID)
        case arrange(Breakouts, MeetingID, UInt64)
    }

    private struct State {
        var calls: [Call] = []
        var slots: [SlotAssignment] = []
        var publishes = PublishedMedia()
        var connected: Set<ParticipantID> = []
        var beforeAnswer: (@Sendable (FakeMedia) async throws -> Void)?
    }

    private let state = Mutex(State())
    let updates: AsyncStream<[MediaUpdate]>
    private let continuation: AsyncStream<[MediaUpdate]>.Continuation

    init() { (updates, continuation) = AsyncStream.makeStream() }

    var calls: [Call] { state.withLock { $0.calls } }

    /// Participants with a session.
    var connectedCount: Int { state.withLock { $0.connected.count } }

    func setSlots(_ slots: [SlotAssignment]) { state.withLock { $0.slots = slots } }

    /// What is taken of an offer.
    func setPublishes(_ media: PublishedMedia) { state.withLock { $0.publishes = media } }

    /// What happens while an offer is being answered.
    func setBeforeAnswer(_ body: @escaping @Sendable (FakeMedia) async throws -> Void) {
        state.withLock { $0.beforeAnswer = body }
    }

    /// Who is in which room of a meeting, as it was told last.
    func arrangement(of meeting: MeetingID) -> Breakouts? {
        calls.lazy.reversed().compactMap { if case .arrange(let breakouts, meeting, _) = $0 { breakouts } else { nil } }
            .first
    }

    /// What a participant sends, as it was told one time after the other.
    func states(of participant: ParticipantID) -> [PublishedMedia] {
        calls.compactMap { call in
            switch call {
            case .state(participant, let state), .connect(participant, _, let state, _): state
            default: nil
            }
        }
    }

    func tell(_ update: MediaUpdate) { continuation.yield([update]) }

    func connect(_ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer) async throws
        -> MediaConnection
    {
        switch offer.sdp.prefix(while: { !$0.isNewline }) {
        case "full": throw MediaError(.full, "no place")
        case "bad": throw MediaError(.badOffer, "not SDP")
        case "strange": throw MediaError(.unsupported, "no codec")
        default: break
        }
        try await state.withLock(\.beforeAnswer)?(self)
        note(.connect(participant, meeting, offer.state, offer.view))
        return state.withLock { state in
            state.connected.insert(participant)
            return MediaConnection(
                sdp: "answer to \(offer.sdp)", slots: state.slots, publishes: state.publishes)
        }
    }

    func restart(_ participant: ParticipantID, _ offer: String) async throws -> String {
        switch offer {
        case "bad": throw MediaError(.badOffer, "not SDP")
        case "another": throw MediaError(.noSession, "another session's")
        default: break
        }
        try await state.withLock(\.beforeAnswer)?(self)
        guard state.withLock({ $0.connected.contains(participant) }) else { throw MediaError(.noSession, "none") }
        note(.restart(participant, offer))
        return "restart of \(offer)"
    }

    func repeatWantedLayers(of participant: ParticipantID) async { note(.repeatWanted(participant)) }

    func disconnect(_ participant: ParticipantID) async {
        state.withLock { _ = $0.connected.remove(participant) }
        note(.disconnect(participant))
    }

    func setView(_ participant: ParticipantID, _ view: MediaView) async { note(.view(participant, view)) }

    func setMediaState(_ participant: ParticipantID, _ state: PublishedMedia) async { note(.state(participant, state)) }

    func arrange(_ breakouts: Breakouts, in meeting: MeetingID, number: UInt64) async {
        note(.arrange(breakouts, meeting, number))
    }

    func slots(of participant: ParticipantID) async -> [SlotAssignment] {
        state.withLock { $0.connected.contains(participant) ? $0.slots : [] }
    }

    private func note(_ call: Call) { state.withLock { $0.calls.append(call) } }
}
