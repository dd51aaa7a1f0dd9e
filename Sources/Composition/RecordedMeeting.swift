import Foundation
import Recording
import Wire

/// What a folder of a recording holds. Nothing in it is believed that can be looked up: the files say themselves what is in them.
public struct RecordedMeeting: Sendable {
    public let folder: String
    /// Nil where it is missing, or cannot be read.
    public private(set) var manifest: RecordingManifest?
    public private(set) var log: [LogLine] = []
    public private(set) var files: [SourceFile] = []
    /// What is wrong with it, a line each.
    public private(set) var complaints: [String] = []

    /// Bytes: more is not read.
    static let largestLog = 256 << 20
    static let largestManifest = 16 << 20
    /// Of the log.
    static let mostLines = 1_000_000
    /// Of one line of the log, bytes.
    static let longestLine = 256 << 10
    static let mostFiles = 20_000
    /// In the one line of an error.
    private static let mostReasons = 10

    /// Reads all of the folder; each packet of its files, without decoding.
    ///
    /// - Throws: `MediaError` where it is no folder, or has nothing that can be composed.
    public init(folder: String) throws {
        try MediaLibraries.load()
        self.folder = folder
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw MediaError("\(folder): there is no such folder")
        }
        readManifest()
        readLog()
        for (name, id, kind) in sources(names.sorted()) { add(name, id, kind) }
        guard !files.isEmpty else {
            let reasons = complaints.prefix(Self.mostReasons) + (complaints.count > Self.mostReasons ? ["..."] : [])
            throw MediaError(
                "\(folder): there is no recording in it, or nothing was captured (\(reasons.joined(separator: "; ")))")
        }
    }

    public var timeline: Timeline {
        let names = Dictionary(
            (manifest?.participants ?? []).map { ($0.participantID, $0.displayName) }, uniquingKeysWith: { $1 })
        return Timeline(log: log, names: names, files: files)
    }

    /// What a file holds. Nothing of a pipe, which would be waited for, of a device, or of a link to what is elsewhere.
    private func text(_ name: String, most: Int) -> Data? {
        let descriptor = open(folder + "/" + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try? handle.read(upToCount: most) ?? Data()
    }

    private mutating func readManifest() {
        guard let text = text("recording.json", most: Self.largestManifest) else {
            complaints.append("recording.json is missing, or no file: the names of the files say whose they are")
            return
        }
        do {
            manifest = try JSONDecoder().decode(RecordingManifest.self, from: text)
            if manifest?.state == .recording {
                complaints.append("the recording was not ended, or is going on: what there is so far is composed")
            }
        } catch {
            complaints.append("recording.json cannot be read: the names of the files say whose they are")
        }
    }

    private mutating func readLog() {
        guard let text = text("events.jsonl", most: Self.largestLog) else {
            complaints.append("events.jsonl is missing, or no file: who was there is seen by the files")
            return
        }
        let decoder = JSONDecoder()
        var unreadable = 0
        let lines = text.split(separator: 0x0a, maxSplits: Self.mostLines)
        if lines.count > Self.mostLines {
            complaints.append("events.jsonl: what is behind its first \(Self.mostLines) lines is left out")
        }
        for line in lines.prefix(Self.mostLines) {
            guard line.count <= Self.longestLine, let line = try? decoder.decode(LogLine.self, from: line) else {
                unreadable += 1
                continue
            }
            log.append(line)
        }
        if unreadable > 0 { complaints.append("events.jsonl: \(unreadable) lines cannot be read") }
    }

    /// Files by name, whose they are, and what of theirs: as the manifest says, else as the names do.
    private func sources(_ names: [String]) -> [(String, String, MediaKind)] {
        let listed = Dictionary(
            (manifest?.files ?? []).map { ($0.file, ($0.participantID, $0.source)) }, uniquingKeysWith: { $1 })
        return names.prefix(Self.mostFiles).compactMap { name in
            guard name.hasSuffix(".mkv") else { return nil }
            if let (id, source) = listed[name], let kind = Self.kind(source) { return (name, id, kind) }
            // p_1-video-2.mkv
            let parts = name.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count >= 3, Int(parts[parts.count - 1]) != nil,
                let kind = Self.kind(String(parts[parts.count - 2]))
            else { return nil }
            return (name, parts.dropLast(2).joined(separator: "-"), kind)
        }
    }

    private static func kind(_ source: String) -> MediaKind? {
        switch source {
        case "audio": .audio
        case "video": .video
        case "screen": .screen
        default: nil
        }
    }

    private mutating func add(_ name: String, _ id: String, _ kind: MediaKind) {
        do {
            let path = folder + "/" + name
            // Nor a pipe, which would be waited for, nor a link to what is elsewhere.
            let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type == .typeRegular else { throw MediaError("it is no file") }
            let file = try MediaFile(path: path)
            guard (file.codec == .opus) == (kind == .audio) else { throw MediaError("it is not of its kind") }
            var index = FileIndex()
            while let head = file.next() { index.note(head) }
            guard !index.spans.isEmpty else { throw MediaError("it is empty") }
            files.append(
                SourceFile(
                    file: name, participantID: id, kind: kind, spans: index.spans, keyframes: index.keyframes))
        } catch {
            complaints.append("\(name) is left out: \(error)".escaped)
        }
    }
}

/// When there is something in a file.
struct FileIndex {
    /// As the last frame of a stretch has no other behind it, ms.
    static let lastFrame = 20
    /// What is longer without a frame is a hole, ms: pictures may be few, and silence sends a packet each 400 ms.
    private static let hole = 500
    /// Beyond that holes are none.
    private static let mostSpans = 100_000

    private(set) var spans: [Span] = []
    private(set) var keyframes: [Int] = []

    mutating func note(_ head: MediaFile.Head) {
        let (time, until) = (head.time, head.time + Self.lastFrame)
        if head.isKeyframe, (keyframes.last ?? Int.min) < time { keyframes.append(time) }
        guard let last = spans.last else {
            spans.append(Span(time, until))
            return
        }
        // Times that go back are within what there was.
        if time <= last.until + Self.hole || spans.count >= Self.mostSpans {
            spans[spans.count - 1].until = max(last.until, until)
        } else {
            spans.append(Span(time, until))
        }
    }
}
