import Testing

@testable import Composition

@Suite struct TimelineTests {
    private static func line(
        _ event: String, _ ms: Int, _ id: String? = nil, _ body: (inout LogLine) -> Void = { _ in }
    )
        -> LogLine
    {
        var line = LogLine(event, ms: ms, id)
        body(&line)
        return line
    }

    private static func file(_ id: String, _ kind: String, _ spans: Span...) -> SourceFile {
        SourceFile(
            file: "\(id)-\(kind)-1.mkv", participantID: id,
            kind: ["audio": .audio, "video": .video, "screen": .screen][kind]!, spans: spans, keyframes: [])
    }

    @Test func spansAreUnitedAndTakenApart() {
        let spans = [Span(10, 20), Span(0, 5), Span(5, 7), Span(18, 30), Span(9, 9)].united()
        #expect(spans == [Span(0, 7), Span(10, 30)])
        #expect(spans.without([Span(2, 3), Span(6, 12), Span(29, 40)]) == [Span(0, 2), Span(3, 6), Span(12, 29)])
        #expect(
            spans.common(with: [Span(-5, 1), Span(6, 11), Span(30, 40)]) == [Span(0, 1), Span(6, 7), Span(10, 11)])
        #expect(
            [-1, 0, 6, 7, 9, 10, 29, 30].map(spans.contain) == [false, true, true, false, false, true, true, false])
    }

    /// Against what each millisecond says by itself.
    @Test(arguments: 1...20) func spansAreAsTheirMoments(_ seed: UInt64) {
        var random = Numbers(seed)
        func make() -> [Span] { (0..<8).map { _ in Span(random.below(60), random.below(60)) }.united() }
        let (one, other) = (make(), make())
        for moment in -1...61 {
            let (inOne, inOther) = (one.contain(moment), other.contain(moment))
            #expect(inOne == one.contains { $0.contains(moment) })
            #expect(one.common(with: other).contain(moment) == (inOne && inOther))
            #expect(one.without(other).contain(moment) == (inOne && !inOther))
        }
    }

    @Test func peopleAreThereFromJoinToLeave() {
        let log = [
            Self.line("began", 0), Self.line("joined", 1_000, "p_1") { $0.displayName = "Ada" },
            Self.line("media_state", 1_000, "p_1") { ($0.audio, $0.video) = (true, true) },
            Self.line("media_state", 6_000, "p_1") { ($0.audio, $0.video) = (true, false) },
            Self.line("media_state", 9_000, "p_1") { ($0.audio, $0.video) = (true, true) },
            Self.line("left", 20_000, "p_1"), Self.line("joined", 2_000, "p_2") { $0.displayName = "Bob" },
            Self.line("joined", 3_000, "p_3") { $0.displayName = "Watches" }, Self.line("ended", 30_000),
        ]
        let files = [
            Self.file("p_1", "video", Span(1_200, 6_000), Span(9_100, 19_900)),
            Self.file("p_2", "audio", Span(2_500, 29_000)), Self.file("p_4", "video", Span(5_000, 10_000)),
        ]
        let timeline = Timeline(log: log, names: ["p_4": "Cyd"], files: files)
        #expect(timeline.people.map(\.name) == ["Ada", "Bob", "Cyd"])
        #expect(timeline.end == 30_000)
        #expect(timeline.people[0].present == [Span(1_000, 20_000)])
        // Dark at once where that is said, and with the last picture where nothing is.
        #expect(timeline.people[0].camera == [Span(1_200, 6_000), Span(9_000 + 100, 20_000)])
        #expect(timeline.people[1].present == [Span(2_000, 30_000)] && timeline.people[1].camera.isEmpty)
        // Without a log a person is there while its files are.
        #expect(
            timeline.people[2].present == [Span(5_000, 10_000)] && timeline.people[2].camera == [Span(5_000, 10_000)])
    }

    @Test func aHoleKeepsTheLastPictureForAWhile() {
        let log = [Self.line("joined", 0, "p_1"), Self.line("ended", 60_000)]
        let timeline = Timeline(
            log: log, names: [:], files: [Self.file("p_1", "video", Span(0, 10_000), Span(20_000, 30_000))])
        #expect(timeline.people[0].camera == [Span(0, 15_000), Span(20_000, 35_000)])
    }

    /// Nothing in a log can make it longer than it was, or negative.
    @Test func aLogThatLiesIsBounded() {
        let files = [Self.file("p_1", "video", Span(0, 10_000))]
        let log = [
            Self.line("left", -5, "p_1"), Self.line("joined", .max, "p_1"), Self.line("left", .min, "p_1"),
            Self.line("media_state", 4_000, "p_1") { $0.screen = true }, Self.line("speakers", 5),
        ]
        let timeline = Timeline(log: log, names: [:], files: files)
        #expect(timeline.end == 10_000 && timeline.people[0].present == [Span(0, 10_000)])
        #expect(Timeline(log: [Self.line("ended", .max)], names: [:], files: files).end == Timeline.longest)
        #expect(Timeline(log: [Self.line("ended", -7)], names: [:], files: files).end == 0)
        #expect(Timeline(log: [], names: [:], files: []).people.isEmpty)
    }

    @Test func messagesAreAsTheyWereLast() {
        func chat(_ ms: Int, _ id: String, _ text: String, deleted: Bool? = nil) -> LogLine {
            Self.line("chat", ms, "p_1") {
                ($0.chatID, $0.text, $0.deleted, $0.displayName) = (id, text, deleted, "Ada <&>")
            }
        }
        let log = [
            chat(1_000, "c_1", "one"), chat(2_000, "c_2", "two"), chat(3_000, "c_1", "ONE <i>&\n\n--> x"),
            chat(4_000, "c_2", "", deleted: true), chat(5_000, "c_2", "back"), Self.line("ended", 9_000),
        ]
        let timeline = Timeline(log: log, names: [:], files: [Self.file("p_1", "audio", Span(0, 9_000))])
        #expect(timeline.messages.map(\.at) == [1_000])
        let text = WebVTT.chat(timeline.messages, in: Span(500, 5_000))
        #expect(
            text == """
                WEBVTT

                00:00:00.500 --> 00:00:04.500
                <v Ada &lt;&amp;&gt;>ONE &lt;i&gt;&amp;
                --&gt; x

                """)
    }

    /// Names go to a terminal, to players, and onto pictures.
    @Test func namesAreALineWithoutControlCharacters() {
        let name = "Ad\u{1b}[2J\n\u{9b}a" + String(repeating: "x", count: 1_000)
        let log = [
            Self.line("joined", 0, "p_1") { $0.displayName = name },
            Self.line("chat", 1_000) { ($0.chatID, $0.text, $0.displayName) = ("c_1", "hi", name) },
        ]
        let files = [Self.file("p_1", "screen", Span(0, 9_000)), Self.file("p_\u{7}2", "audio", Span(0, 9_000))]
        let timeline = Timeline(log: log, names: [:], files: files)
        let plain = "Ad [2J  a" + String(repeating: "x", count: 247)
        #expect(Set(timeline.people.map(\.name)) == [plain, "p_ 2"])
        #expect(timeline.messages.map(\.name) == [plain])
        #expect(timeline.chapters(Span(0, 9_000)).first?.title == "Screen: " + plain)
    }

    /// A file may begin before the recording does.
    @Test func keyframesBeforeTheBeginAreNoted() {
        var index = FileIndex()
        for (time, isKeyframe) in [(-40, true), (-7, false), (26, false), (3_000, true), (2_300, true)] {
            index.note(MediaFile.Head(time: time, isKeyframe: isKeyframe))
        }
        #expect(index.keyframes == [-40, 3_000])
    }

    /// Each has a picture of the film that is its moment or behind it.
    @Test func everyThumbnailHasItsPicture() {
        for length in Array(1...300) + Array(59_900...60_300) {
            let frames = max(length * Composition.rate / 1_000, 1)
            let last = (2 * frames - 1) * 1_000 / (2 * Composition.rate)
            let moments = Thumbnails.moments(length)
            #expect(moments.count == (length + 59_999) / 60_000 && moments == moments.sorted())
            #expect(moments.allSatisfy { (0...last).contains($0) }, "\(length)")
        }
        #expect(Thumbnails.moments(90_000) == [30_000, 75_000])
    }

    @Test func chaptersCoverTheMeeting() {
        let log = [
            Self.line("joined", 0, "p_1") { $0.displayName = "Ada" },
            Self.line("joined", 0, "p_2") { $0.displayName = "Bob" },
            Self.line("media_state", 30_000, "p_1") { $0.screen = false }, Self.line("ended", 100_000),
        ]
        let files = [
            Self.file("p_1", "screen", Span(10_000, 29_000)), Self.file("p_2", "screen", Span(30_500, 50_000)),
        ]
        let timeline = Timeline(log: log, names: [:], files: files)
        let chapters = timeline.chapters(Span(0, 100_000))
        #expect(chapters.map(\.title) == ["Meeting", "Screen: Ada", "Screen: Bob", "Meeting"])
        #expect(chapters.map(\.span.from) == [0, 10_000, 30_000, 55_000])
        #expect(zip(chapters, chapters.dropFirst()).allSatisfy { $0.span.until == $1.span.from })
        #expect(chapters.last?.span.until == 100_000)
        #expect(timeline.chapters(Span(60_000, 100_000)).isEmpty)
        #expect(timeline.chapters(Span(20_000, 52_000)).map(\.span) == [Span(20_000, 30_000), Span(30_000, 52_000)])
    }

    @Test func whoLeadsSpeaksLongEnough() {
        let speakers: [(at: Int, ids: [String])] = [
            (1_000, ["a"]), (10_000, ["b", "a"]), (11_000, ["a"]), (20_000, ["b"]), (22_000, []), (22_500, ["b"]),
            (23_100, ["c"]), (26_000, ["a"]),
        ]
        let leaders = SpeakerHistory(speakers, until: 40_000).leaders
        #expect(leaders.map(\.id) == ["a", "b", "c", "a"])
        #expect(leaders.map(\.at) == [1_000, 21_500, 24_600, 27_600])
    }
}

/// Numbers that are the same of the same seed.
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
