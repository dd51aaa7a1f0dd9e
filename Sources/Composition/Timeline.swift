import Wire

/// Who is there when, whose picture and screen can be seen, and who speaks: of a log and of what is in the files. Pure.
public struct Timeline: Sendable {
    public struct Person: Sendable, Equatable {
        public var id: String
        public var name: String
        public var present: [Span] = []
        /// When its picture is to be seen.
        public var camera: [Span] = []
        public var screen: [Span] = []
    }

    /// What people wrote; the latest text of each message, when it was written first.
    public struct Message: Sendable, Equatable {
        public var at: Int
        public var name: String
        public var text: String
    }

    /// A part of the meeting with a title.
    public struct Chapter: Sendable, Equatable {
        public var span: Span
        public var title: String
    }

    /// Longer recordings are composed up to here, ms.
    static let longest = 24 * 3_600_000

    /// Those who gave something, by when they came.
    public private(set) var people: [Person] = []
    /// Who speaks from `at` on, the loudest first.
    public private(set) var speakers: [(at: Int, ids: [String])] = []
    public private(set) var messages: [Message] = []
    /// The recording's end, ms.
    public private(set) var end = 0

    /// - Parameters:
    ///   - log: in the order of the file; its times may lie.
    ///   - names: by participant, where the log has none.
    public init(log: [LogLine], names: [String: String], files: [SourceFile]) {
        let latest = files.map(\.until).max() ?? 0
        let ended = log.last { $0.event == "ended" }?.ms
        end = min(max(ended ?? latest, 0), Self.longest)
        let log = log.filter { (0...end).contains($0.ms) }.enumerated()
            .sorted { ($0.element.ms, $0.offset) < ($1.element.ms, $1.offset) }.map(\.element)
        addPeople(log, names, files)
        for line in log where line.event == "speakers" { speakers.append((line.ms, line.participantIDs ?? [])) }
        addMessages(log)
    }

    private mutating func addPeople(_ log: [LogLine], _ names: [String: String], _ files: [SourceFile]) {
        let filesOf = Dictionary(grouping: files, by: \.participantID)
        let linesOf = Dictionary(grouping: log.filter { $0.participantID != nil }, by: { $0.participantID ?? "" })
        let whole = [Span(0, end)]
        for (id, files) in filesOf where files.contains(where: { !$0.spans.isEmpty }) {
            let lines = linesOf[id] ?? []
            let name = lines.last { $0.displayName != nil && $0.event == "joined" }?.displayName
            var person = Person(id: id, name: (name ?? names[id] ?? id).name())
            person.present = (stays(lines) + given(files)).united().common(with: whole)
            person.camera = seen(files, .video, off: lines.map { ($0.ms, $0.event == "media_state" ? $0.video : nil) })
            person.screen = seen(
                files, .screen, off: lines.map { ($0.ms, $0.event == "media_state" ? $0.screen : nil) })
            person.camera = person.camera.common(with: person.present)
            person.screen = person.screen.common(with: person.present)
            people.append(person)
        }
        people.sort { ($0.present.first?.from ?? end, $0.id) < ($1.present.first?.from ?? end, $1.id) }
    }

    /// From `joined` to `left`.
    private func stays(_ lines: [LogLine]) -> [Span] {
        var stays: [Span] = []
        var since: Int?
        for line in lines {
            if line.event == "joined", since == nil { since = line.ms }
            if line.event == "left", let from = since {
                stays.append(Span(from, line.ms))
                since = nil
            }
        }
        if let since { stays.append(Span(since, end)) }
        return stays.united()
    }

    /// When there is something, with the holes that are none.
    private func given(_ files: [SourceFile]) -> [Span] {
        files.flatMap(\.spans).map { Span($0.from, $0.until + SourceFile.hold) }.united()
            .map { Span($0.from, $0.until - SourceFile.hold) }
    }

    /// - Parameter off: moments, and whether it is given from then on, where that is said.
    private func seen(_ files: [SourceFile], _ kind: MediaKind, off: [(Int, Bool?)]) -> [Span] {
        let dark = dark(off)
        let bright = files.filter { $0.kind == kind }.flatMap(\.spans).united().without(dark)
        // The last picture stays for a while, and not longer than until it is said that there is none.
        var next = 0
        return bright.map { span in
            while next < dark.count, dark[next].from < span.until { next += 1 }
            let latest = next < dark.count ? dark[next].from : end
            return Span(max(span.from, 0), min(span.until + SourceFile.hold, latest, end))
        }.united()
    }

    private func dark(_ off: [(Int, Bool?)]) -> [Span] {
        var dark: [Span] = []
        var since: Int?
        for case (let at, let isOn?) in off {
            if !isOn, since == nil { since = at }
            if isOn, let from = since {
                dark.append(Span(from, at))
                since = nil
            }
        }
        if let since { dark.append(Span(since, end)) }
        return dark.united()
    }

    private mutating func addMessages(_ log: [LogLine]) {
        var order: [String] = []
        var known: Set<String> = []
        var byID: [String: Message] = [:]
        for line in log where line.event == "chat" {
            guard let id = line.chatID, let text = line.text else { continue }
            if known.insert(id).inserted {
                order.append(id)
                byID[id] = Message(at: line.ms, name: (line.displayName ?? "").name(), text: text)
            }
            // What is deleted stays so.
            if line.deleted == true { byID[id] = nil } else { byID[id]?.text = text }
        }
        messages = order.compactMap { byID.removeValue(forKey: $0) }
    }

    /// All moments at which something of it becomes another, in order, from 0.
    var changes: [Int] {
        var moments: Set<Int> = [0]
        for person in people {
            for span in person.present + person.camera + person.screen { moments.formUnion([span.from, span.until]) }
        }
        for change in speakers { moments.insert(change.at) }
        return moments.sorted().filter { $0 < end || $0 == 0 }
    }

    /// One for each screen that is shared, and for what is between them; they lie beside each other from the range's begin to its
    /// end. None where nobody shared one.
    public func chapters(_ range: Span) -> [Chapter] {
        var shares: [Chapter] = people.flatMap { person in
            person.screen.map { Chapter(span: $0, title: "Screen: \(person.name)") }
        }
        shares.sort { $0.span.from < $1.span.from }
        var chapters: [Chapter] = []
        var moment = range.from
        for share in shares {
            var from = max(share.span.from, moment)
            let until = min(share.span.until, range.until)
            guard from < until else { continue }
            if from - moment >= Self.shortestChapter {
                chapters.append(Chapter(span: Span(moment, from), title: "Meeting"))
            } else {
                from = moment
            }
            chapters.append(Chapter(span: Span(from, until), title: share.title))
            moment = until
        }
        guard !chapters.isEmpty else { return [] }
        if range.until - moment >= Self.shortestChapter {
            chapters.append(Chapter(span: Span(moment, range.until), title: "Meeting"))
        } else {
            chapters[chapters.count - 1].span.until = range.until
        }
        return chapters
    }

    /// Between two shares, ms.
    private static let shortestChapter = 1_000
}
