import Testing
import Wire

@testable import Composition

@Suite struct LayoutTests {
    private static func check(_ places: [Rectangle], in layout: Layout, _ about: String) {
        for (index, place) in places.enumerated() {
            #expect(place.x >= 0 && place.y >= 0 && place.width >= 2 && place.height >= 2, "\(about): \(place)")
            #expect(
                place.x + place.width <= layout.width && place.y + place.height <= layout.height, "\(about): \(place)")
            #expect([place.x, place.y, place.width, place.height].allSatisfy { $0 % 2 == 0 }, "\(about): \(place)")
            for other in places[(index + 1)...] {
                let isApart =
                    place.x + place.width <= other.x || other.x + other.width <= place.x
                    || place.y + place.height <= other.y || other.y + other.height <= place.y
                #expect(isApart, "\(about): \(place) \(other)")
            }
        }
    }

    @Test(arguments: [(1_920, 1_080), (1_280, 720), (640, 480), (160, 90), (1_080, 1_920), (3_840, 2_160)])
    func tilesLieInsideAndApart(_ size: (Int, Int)) {
        let layout = Layout(width: size.0, height: size.1)
        for count in 0...Layout.mostTiles {
            let places = layout.gallery(count)
            #expect(places.count == count)
            Self.check(places, in: layout, "\(size) \(count)")
            #expect(places.allSatisfy { abs($0.width * 9 - $0.height * 16) <= 32 }, "\(size) \(count)")
        }
        for count in 0...Layout.mostBeside {
            let (main, beside) = layout.stage(beside: count)
            #expect(beside.count == count)
            Self.check([main] + beside, in: layout, "\(size) \(count)")
            #expect(beside.allSatisfy { $0.width < main.width })
        }
    }

    /// The proportions of a picture are kept within a pixel or two, and it is as large as it can be.
    @Test(arguments: 1...50) func picturesKeepTheirProportions(_ seed: UInt64) {
        var random = Numbers(seed)
        let place = Rectangle(
            2 * random.below(500), 2 * random.below(500), 64 + 2 * random.below(900), 64 + 2 * random.below(500))
        let (width, height) = (16 + random.below(4_000), 16 + random.below(2_000))
        let fitted = place.fitting(width: width, height: height)
        #expect(fitted.x >= place.x && fitted.x + fitted.width <= place.x + place.width)
        #expect(fitted.y >= place.y && fitted.y + fitted.height <= place.y + place.height)
        #expect(fitted.width == place.width || fitted.height == place.height)
        let exact =
            fitted.width == place.width
            ? abs(Double(fitted.height) - Double(place.width * height) / Double(width))
            : abs(Double(fitted.width) - Double(place.height * width) / Double(height))
        #expect(exact <= 2, "\(width)x\(height) in \(place): \(fitted)")
    }

    private static func timeline(_ seed: UInt64, people: Int) -> Timeline {
        var random = Numbers(seed)
        var (log, files) = ([LogLine](), [SourceFile]())
        for person in 0..<people {
            let id = "p_\(person)"
            let (from, until) = (random.below(60_000), 60_000 + random.below(60_000))
            log += [LogLine("joined", ms: from, id), LogLine("left", ms: until, id)]
            func give(_ kind: MediaKind, _ span: Span) {
                files.append(
                    SourceFile(file: "", participantID: id, kind: kind, spans: [span], keyframes: []))
            }
            give(.audio, Span(from, until))
            if random.below(4) > 0 { give(.video, Span(from, until)) }
            if random.below(6) == 0 { give(.screen, Span(40_000 + random.below(10_000), 70_000)) }
        }
        for _ in 0..<300 {
            var line = LogLine("speakers", ms: random.below(120_000))
            line.participantIDs = (0..<random.below(3)).map { _ in "p_\(random.below(people))" }
            log.append(line)
        }
        log.append(LogLine("ended", ms: 120_000))
        return Timeline(log: log.sorted { $0.ms < $1.ms }, names: [:], files: files)
    }

    /// Whatever people do: no arrangement is shorter than a second, nobody is in two places or there when absent, and a screen is large.
    @Test(arguments: [(1, 3), (2, 8), (3, 30), (4, 60), (5, 2)] as [(UInt64, Int)], LayoutKind.allCases)
    func arrangementsAreCalmAndRight(_ meeting: (seed: UInt64, people: Int), _ kind: LayoutKind) {
        let timeline = Self.timeline(meeting.seed, people: meeting.people)
        let layout = Layout(width: 1_280, height: 720)
        let shots = ShotList(timeline, kind: kind, layout: layout).shots
        #expect(shots.count > 5)
        for (shot, next) in zip(shots, shots.dropFirst()) {
            #expect(shot.tiles.isEmpty || next.at - shot.at >= 1_000)
            #expect(shot.tiles != next.tiles)
        }
        for shot in shots {
            Self.check(shot.tiles.map(\.place), in: layout, "\(shot.at)")
            #expect(Set(shot.tiles.map(\.content)).count == shot.tiles.count && shot.tiles.count <= Layout.mostTiles)
            var hasScreen = false
            for tile in shot.tiles {
                switch tile.content {
                case .camera(let person): #expect(timeline.people[person].present.contain(shot.at), "\(shot.at)")
                case .screen(let person):
                    hasScreen = true
                    #expect(timeline.people[person].screen.contain(shot.at))
                    #expect(tile.place.width == shot.tiles.map(\.place.width).max())
                }
            }
            #expect(hasScreen == timeline.people.contains { $0.screen.contain(shot.at) }, "\(shot.at)")
            let present = timeline.people.count { $0.present.contain(shot.at) }
            let places = hasScreen || kind == .speaker ? Layout.mostBeside + 1 : Layout.mostTiles
            #expect(shot.tiles.count >= min(present, places), "\(shot.at)")
        }
    }

    /// Who stays in a full gallery stays where it is; who speaks comes in.
    @Test func aFullGalleryChangesOnePlace() throws {
        var (log, files) = ([LogLine](), [SourceFile]())
        for person in 0..<30 {
            let id = "p_\(person < 10 ? "0" : "")\(person)"
            log.append(LogLine("joined", ms: 0, id))
            files.append(
                SourceFile(file: "", participantID: id, kind: .video, spans: [Span(0, 60_000)], keyframes: []))
        }
        var line = LogLine("speakers", ms: 10_000)
        line.participantIDs = ["p_29"]
        log += [line, LogLine("ended", ms: 60_000)]
        let timeline = Timeline(log: log, names: [:], files: files)
        let shots = ShotList(timeline, kind: .gallery, layout: Layout(width: 1_920, height: 1_080)).shots
        #expect(shots.map(\.at) == [0, 10_000] && shots.allSatisfy { $0.tiles.count == 25 })
        let changed = zip(shots[0].tiles, shots[1].tiles).filter { $0 != $1 }
        #expect(changed.count == 1 && changed[0].1.content == .camera(29))
    }

    @Test func whoSpeaksIsLarge() {
        var (log, files) = ([LogLine](), [SourceFile]())
        for person in 0..<3 {
            log.append(LogLine("joined", ms: 0, "p_\(person)"))
            files.append(
                SourceFile(
                    file: "", participantID: "p_\(person)", kind: .audio, spans: [Span(0, 60_000)], keyframes: []))
        }
        for (at, id) in [(5_000, "p_2"), (20_000, "p_1"), (20_900, "p_2"), (30_000, "p_0")] {
            var line = LogLine("speakers", ms: at)
            line.participantIDs = [id]
            log.append(line)
        }
        log.append(LogLine("ended", ms: 60_000))
        let timeline = Timeline(log: log, names: [:], files: files)
        let shots = ShotList(timeline, kind: .speaker, layout: Layout(width: 1_920, height: 1_080)).shots
        #expect(shots.map(\.at) == [0, 5_000, 31_500])
        #expect(shots.map { $0.tiles[0].content } == [.camera(0), .camera(2), .camera(0)])
    }
}
