import Meetings

@testable import Api
@testable import Conference
@testable import Dataplane

/// The director as the hub sees it, and what may happen while the hub waits for its answer.
actor PoPMedia: MediaPlane {
    nonisolated let updates: AsyncStream<[MediaUpdate]>
    private let director: MediaDirector
    private var hub: MeetingHub?
    private var random: RandomSource
    /// Participants that left while their answer was made.
    private(set) var runaways = 0

    init(_ director: MediaDirector, seed: UInt64) {
        self.director = director
        updates = director.updates
        random = RandomSource(seed: seed)
    }

    func serve(_ hub: MeetingHub) { self.hub = hub }

    /// Hands what the director told to the hub.
    func deliverNews() async {
        var isMarked = await director.endNews()
        for await news in updates {
            if news.isEmpty { break }
            await hub?.take(news)
            if !isMarked { isMarked = await director.endNews() }
        }
    }

    func connect(
        _ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer
    ) async throws -> MediaConnection {
        let connection = try await director.connect(participant, in: meeting, offer)
        switch Int.random(in: 0..<16, using: &random) {
        case 0:
            runaways += 1
            try? await hub?.leave(participant, reason: .left)
        case 1...6: await deliverNews()
        default: break
        }
        return connection
    }

    func restart(_ participant: ParticipantID, _ offer: String) async throws -> String {
        let answer = try await director.restart(participant, offer)
        if Int.random(in: 0..<4, using: &random) == 0 { await deliverNews() }
        return answer
    }

    func disconnect(_ participant: ParticipantID) async { await director.disconnect(participant) }

    func setView(_ participant: ParticipantID, _ view: MediaView) async { await director.setView(participant, view) }

    func setMediaState(_ participant: ParticipantID, _ state: PublishedMedia) async {
        await director.setMediaState(participant, state)
    }

    func arrange(_ breakouts: Breakouts, in meeting: MeetingID, number: UInt64) async {
        await director.arrange(breakouts, in: meeting, number: number)
    }

    func repeatWantedLayers(of participant: ParticipantID) async {
        if Int.random(in: 0..<4, using: &random) == 0 { await deliverNews() }
        await director.repeatWantedLayers(of: participant)
    }

    func slots(of participant: ParticipantID) async -> [SlotAssignment] {
        if Int.random(in: 0..<4, using: &random) == 0 { await deliverNews() }
        return await director.slots(of: participant)
    }
}
