/// How what is seen is arranged.
public enum LayoutKind: String, Sendable, CaseIterable {
    /// All of one size.
    case gallery
    /// Who speaks is large.
    case speaker
}

/// A place of the picture, and who is in it.
struct Tile: Sendable, Hashable {
    enum Content: Sendable, Hashable {
        /// The camera of a person, by its index in the timeline; its name where there is no picture.
        case camera(Int)
        case screen(Int)
    }

    var content: Content
    var place: Rectangle
}

/// What is seen where, from `at` on, ms.
struct Shot: Sendable, Equatable {
    var at: Int
    var tiles: [Tile]
}

/// The arrangements of a whole recording, in order. Pure: the same of the same timeline.
struct ShotList: Sendable {
    /// No arrangement is changed sooner, ms.
    static let shortest = 1_000

    let shots: [Shot]

    init(_ timeline: Timeline, kind: LayoutKind, layout: Layout) {
        var builder = Builder(timeline: timeline, kind: kind, layout: layout)
        shots = builder.build()
    }

    private struct Builder {
        let timeline: Timeline
        let kind: LayoutKind
        let layout: Layout
        /// By index of people: when it was heard last, ms.
        var heard: [Int: Int] = [:]
        var leader: Int?
        /// Who is large in the layout of speakers.
        var large: Int?
        /// Who is in which place of the tiles of one size.
        var places: [Int] = []

        mutating func build() -> [Shot] {
            let history = SpeakerHistory(timeline.speakers, until: timeline.end)
            let indices = Dictionary(
                timeline.people.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first }
            )
            let moments = Set(timeline.changes + history.leaders.map(\.at)).sorted().filter { $0 < timeline.end }
            var shots: [Shot] = []
            var (speaker, lead) = (0, 0)
            func due(_ index: Int) -> Int? { index < moments.count ? moments[index] : nil }
            var index = 0
            while let next = due(index) {
                // What comes too soon waits, and is seen as it is then.
                let last = shots.last { !$0.tiles.isEmpty }?.at
                let at = max(next, last.map { $0 + ShotList.shortest } ?? next)
                while let passed = due(index), passed <= at { index += 1 }
                while speaker < timeline.speakers.count, timeline.speakers[speaker].at <= at {
                    for id in timeline.speakers[speaker].ids {
                        if let found = indices[id] { heard[found] = timeline.speakers[speaker].at }
                    }
                    speaker += 1
                }
                while lead < history.leaders.count, history.leaders[lead].at <= at {
                    leader = indices[history.leaders[lead].id] ?? leader
                    lead += 1
                }
                let tiles = arrange(at)
                if tiles != shots.last?.tiles, at < timeline.end { shots.append(Shot(at: at, tiles: tiles)) }
            }
            return shots
        }

        private mutating func arrange(_ moment: Int) -> [Tile] {
            let present = timeline.people.indices.filter { timeline.people[$0].present.contain(moment) }
            let sharing = present.compactMap { index in
                timeline.people[index].screen.first { $0.contains(moment) }.map { (index, $0.from) }
            }
            // The one that began last.
            if let screen = sharing.max(by: { $0.1 < $1.1 })?.0 {
                return stage(.screen(screen), beside: present, moment)
            }
            if kind == .speaker, present.count > 1 {
                let main =
                    [leader, large].compactMap(\.self).first(where: present.contains) ?? ranked(present, moment)[0]
                large = main
                return stage(.camera(main), beside: present.filter { $0 != main }, moment)
            }
            settle(present, most: Layout.mostTiles, moment)
            return zip(places, layout.gallery(places.count)).map { Tile(content: .camera($0), place: $1) }
        }

        private mutating func stage(_ main: Tile.Content, beside: [Int], _ moment: Int) -> [Tile] {
            settle(beside, most: Layout.mostBeside, moment)
            let (wide, small) = layout.stage(beside: places.count)
            return [Tile(content: main, place: wide)]
                + zip(places, small).map { Tile(content: .camera($0), place: $1) }
        }

        /// Those with a picture first, then those who were heard last, then those who came first.
        private func ranked(_ people: [Int], _ moment: Int) -> [Int] {
            people.sorted { first, second in
                let (one, other) = (rank(first, moment), rank(second, moment))
                return one == other ? first < second : one > other
            }
        }

        private func rank(_ person: Int, _ moment: Int) -> (Int, Int) {
            (timeline.people[person].camera.contain(moment) ? 1 : 0, heard[person] ?? -1)
        }

        /// Who is in a place stays there as long as there are enough; who leads gets one.
        private mutating func settle(_ wanted: [Int], most: Int, _ moment: Int) {
            guard wanted.count > most else {
                places = wanted
                return
            }
            places = Array(places.filter(wanted.contains).prefix(most))
            for person in ranked(wanted, moment) where places.count < most && !places.contains(person) {
                places.append(person)
            }
            if let leader, wanted.contains(leader), !places.contains(leader),
                let quiet = ranked(places, moment).last, let place = places.firstIndex(of: quiet)
            {
                places[place] = leader
            }
        }
    }
}
