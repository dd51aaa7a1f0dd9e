import Meetings
import Testing

@testable import Conference

/// What the signaling reads late, or never.
struct MediaNewsTests {
    private static func id(_ number: Int) -> ParticipantID { ParticipantID("p_\(number)")! }

    private func slot(_ mid: Int, _ participant: Int?) -> SlotAssignment {
        SlotAssignment(mid: "\(mid)", participant: participant.map(Self.id), source: .video)
    }

    private func read(_ news: inout MediaNews) async -> [[MediaUpdate]] {
        var batches: [[MediaUpdate]] = []
        var reader = news.stream.makeAsyncIterator()
        // A mark behind all; it has room as soon as a batch is read.
        let mark = MediaUpdate.connected(Self.id(999))
        news.add(mark)
        news.hand()
        while let batch = await reader.next() {
            batches.append(batch)
            if batch.last == mark { break }
            news.hand()
        }
        return batches
    }

    @Test func whatIsReadInTimeComesAsItWasTold() async {
        var news = MediaNews()
        news.hand()
        news.add(.slots(Self.id(1), [slot(0, 2)]))
        news.add(.slots(Self.id(1), [slot(0, 3)]))
        news.hand()
        news.add(.silent(Self.id(1)))
        news.hand()
        #expect(news.waiting.isEmpty)
        let batches = await read(&news)
        #expect(
            batches.dropLast() == [
                [.slots(Self.id(1), [slot(0, 2)]), .slots(Self.id(1), [slot(0, 3)])], [.silent(Self.id(1))],
            ])
    }

    @Test func aReaderThatIsFarBehindHasABoundedQueueAndEndsUpRight() async {
        var news = MediaNews()
        var slots: [ParticipantID: [String: SlotAssignment]] = [:]
        var states: [ParticipantID: MediaUpdate] = [:]
        func take(_ update: MediaUpdate) {
            switch update {
            case .slots(let id, let changed): for slot in changed { slots[id, default: [:]][slot.mid] = slot }
            case .connected(let id), .failed(let id, _): states[id] = update
            default: break
            }
        }
        var longest = 0
        for round in 0..<50_000 {
            let id = Self.id(round % 20)
            let updates: [MediaUpdate] = [
                .slots(id, [slot(round % 7, round % 11), slot(7, round % 3 == 0 ? nil : round)]),
                round % 2 == 0 ? .connected(id) : .failed(id, reason: .consent),
                .activeSpeakers(MeetingRoom(.test), [id]),
            ]
            for update in updates {
                take(update)
                news.add(update)
            }
            news.hand()
            longest = max(longest, news.waiting.count)
        }
        #expect(longest <= MediaNews.patience)
        let (toldSlots, toldStates) = (slots, states)
        (slots, states) = ([:], [:])
        let batches = await read(&news)
        #expect(batches.count <= MediaNews.batches + 2)
        for update in batches.joined() { take(update) }
        states[Self.id(999)] = nil
        #expect(slots == toldSlots && states == toldStates)
        #expect(batches.joined().last { if case .activeSpeakers = $0 { true } else { false } } != nil)
    }

    @Test func onlyWhatALaterOneSaysAgainIsGivenUp() {
        let picture = SlotPicture(mid: "1", participant: Self.id(2), source: .video, layer: 0, timestamp: 0)
        let other = SlotPicture(mid: "2", participant: Self.id(2), source: .video, layer: 0, timestamp: 0)
        let updates: [MediaUpdate] = [
            .connected(Self.id(1)), .silent(Self.id(1)), .slots(Self.id(1), [slot(1, 2), slot(2, 3)]),
            .slotSwitched(Self.id(1), picture), .connected(Self.id(2)), .failed(Self.id(1), reason: .consent),
            .slots(Self.id(1), [slot(2, nil)]), .quality(Self.id(1), MediaQuality(level: .poor)),
            .quality(Self.id(1), MediaQuality(level: .good)), .heard(Self.id(1)),
            .layersWanted(Self.id(1), WantedLayers(mid: "1", rids: ["q"])),
            .layersWanted(Self.id(1), WantedLayers(mid: "2", isWanted: false)),
            .layersWanted(Self.id(1), WantedLayers(mid: "1", rids: [])),
            .slotPaused(Self.id(1), mid: "2"), .slotSwitched(Self.id(1), other), .slotPaused(Self.id(1), mid: "1"),
        ]
        #expect(
            MediaNews.current(updates) == [
                .slots(Self.id(1), [slot(1, 2)]), .connected(Self.id(2)),
                .failed(Self.id(1), reason: .consent), .slots(Self.id(1), [slot(2, nil)]),
                .quality(Self.id(1), MediaQuality(level: .good)), .heard(Self.id(1)),
                .layersWanted(Self.id(1), WantedLayers(mid: "2", isWanted: false)),
                .layersWanted(Self.id(1), WantedLayers(mid: "1", rids: [])), .slotSwitched(Self.id(1), other),
                .slotPaused(Self.id(1), mid: "1"),
            ])
    }

    /// The director itself has no other queue for its reader.
    @Test func theDirectorKeepsToIt() async throws {
        let director = try MediaFixture(workers: 1).director
        for number in 0..<(MediaNews.batches + 50) {
            await director.tell(.silent(Self.id(number)))
            await director.commit()
        }
        var reader = director.updates.makeAsyncIterator()
        for number in 0..<MediaNews.batches { #expect(await reader.next() == [.silent(Self.id(number))]) }
        await director.commit()
        #expect(await reader.next()?.count == 50)
    }
}
