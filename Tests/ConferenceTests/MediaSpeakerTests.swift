import Meetings
import Testing

@testable import Conference

@Suite struct MediaSpeakerTests {
    private let ann = SourceID.named(1)
    private let bob = SourceID.named(2)
    private let eve = SourceID.named(3)

    /// Plays `ticks` periods in which each says its level (-dBov).
    @discardableResult
    private func play(_ ranking: inout SpeakerRanking, _ levels: [SourceID: UInt8], ticks: Int = 20) -> Int {
        var changes = 0
        for _ in 0..<ticks {
            for (source, level) in levels { ranking.note(source, level: level) }
            if ranking.tick() { changes += 1 }
        }
        return changes
    }

    @Test func `the louder leads, and a little louder is not enough to overtake`() {
        var ranking = SpeakerRanking()
        play(&ranking, [ann: 30, bob: 50])
        #expect(ranking.speakers == [ann, bob])
        #expect(play(&ranking, [ann: 30, bob: 26]) == 0)
        #expect(ranking.speakers == [ann, bob])
        #expect(play(&ranking, [ann: 30, bob: 10]) == 1)
        #expect(ranking.speakers == [bob, ann])
    }

    @Test func `a pause between words changes nothing, and who stopped is gone`() {
        var ranking = SpeakerRanking()
        play(&ranking, [ann: 25])
        #expect(play(&ranking, [ann: 127], ticks: 2) == 0)
        #expect(ranking.speakers == [ann])
        #expect(play(&ranking, [:], ticks: 100) == 1)
        #expect(ranking.speakers.isEmpty && ranking.isQuiet)
    }

    @Test func `a breath is no speech`() {
        var ranking = SpeakerRanking()
        #expect(play(&ranking, [ann: 75]) == 0)
        #expect(ranking.speakers.isEmpty && !ranking.isQuiet)
    }

    // MARK: the stage

    private func roster(_ numbers: some Sequence<Int>) -> Roster<SourceID> {
        var roster = Roster<SourceID>()
        for number in numbers { roster.insert(.named(number), serial: UInt64(number)) }
        return roster
    }

    @Test func `as many as fit stand on the stage, muted or not`() {
        var stage = AudioStage(audioSlots: 3)
        #expect(stage.settle(unmuted: roster([1, 3]), muted: roster([2, 4])) == true)
        #expect(Set(stage.holders) == Set([1, 2, 3, 4].map { .named($0) }))
        #expect(stage.settle(unmuted: roster([1, 3]), muted: roster([2, 4])) == false)
    }

    @Test func `nobody muted keeps a place that an open microphone wants`() {
        var stage = AudioStage(audioSlots: 3)
        _ = stage.settle(unmuted: roster([1, 3]), muted: roster([2, 4]))
        #expect(stage.settle(unmuted: roster([1, 3, 5]), muted: roster([2, 4])) == true)
        #expect(Set(stage.holders.prefix(3)) == Set([1, 3, 5].map { .named($0) }), "all hear the open ones")
        #expect(stage.settle(unmuted: roster([1, 3, 5, 6, 7]), muted: roster([2, 4])) == true)
        #expect(stage.holders.count == 4 && !stage.holders.contains(.named(2)) && !stage.holders.contains(.named(4)))
    }

    @Test func `a louder speaker takes the quietest one's place, an equal one does not`() {
        var stage = AudioStage(audioSlots: 3)
        let open = roster(1...6)
        _ = stage.settle(unmuted: open, muted: Roster())
        var ranking = SpeakerRanking()
        play(&ranking, [.named(1): 30, .named(2): 30, .named(3): 30, .named(4): 45, .named(5): 43])
        #expect(stage.challenge(by: ranking, muted: Roster()) == false)
        play(&ranking, [.named(1): 30, .named(2): 30, .named(3): 30, .named(4): 45, .named(5): 25])
        #expect(stage.challenge(by: ranking, muted: Roster()) == true)
        #expect(Set(stage.holders) == Set([1, 2, 3, 5].map { .named($0) }))
        #expect(stage.challenge(by: ranking, muted: Roster()) == false, "it rests")
    }

    @Test func `a speaker on the last place moves to where everybody hears it`() {
        var stage = AudioStage(audioSlots: 3)
        _ = stage.settle(unmuted: roster(1...5), muted: Roster())
        #expect(stage.holders.last == .named(4))
        var ranking = SpeakerRanking()
        play(&ranking, [.named(4): 30])
        #expect(stage.challenge(by: ranking, muted: Roster()) == true)
        #expect(stage.holders.prefix(3).contains(.named(4)) && stage.holders.count == 4)
    }
}
