import Foundation

/// A line of a recording's log: what happened, when, to whom.
public struct RecordingEvent: Encodable, Sendable, Equatable {
    /// Names on the wire and in files.
    public enum Kind: String, Encodable, Sendable {
        case began, ended
        case joined, left
        case mediaState = "media_state"
        case speakers
        case chat
        case fileBegan = "file_began"
        case fileEnded = "file_ended"
        case gap
        case publisherRestarted = "publisher_restarted"
        case codecChanged = "codec_changed"
        case pictureSize = "picture_size"
        case timestampsJumped = "timestamps_jumped"
        case diskFailed = "disk_failed"
        case diskRecovered = "disk_recovered"
        case connectionLost = "connection_lost"
        case fileFailed = "file_failed"
    }

    public var event: Kind
    public var participantID: String?
    public var displayName: String?
    public var role: String?
    /// `audio`, `video` or `screen`.
    public var source: String?
    /// Below the recording's folder.
    public var file: String?
    public var codec: String?
    public var width: Int?
    public var height: Int?
    public var audio: Bool?
    public var video: Bool?
    public var screen: Bool?
    /// The loudest first.
    public var participantIDs: [String]?
    /// Of a message to all: the same one again when it was edited or deleted.
    public var chatID: String?
    public var text: String?
    public var deleted: Bool?
    /// Of a gap: from the last frame before it to the first behind it, as the files count.
    public var fromMs: Int?
    public var untilMs: Int?
    /// Packets that did not come.
    public var packetsLost: Int?
    /// Whole frames that are not in the file, as they refer to one that is lost, or as the disk was full.
    public var framesLeftOut: Int?
    public var frames: Int?
    public var bytes: Int?
    public var byMs: Int?
    public var reason: String?
    /// Lines of this source that were left out before this one, as there were too many.
    public var omitted: Int?

    public init(_ event: Kind, participantID: String? = nil, source: String? = nil) {
        self.event = event
        self.participantID = participantID
        self.source = source
    }
}

/// The log of a recording: JSON lines, each with its time.
final class EventLog {
    private struct Line: Encodable {
        var at: String
        var ms: Int
        var event: RecordingEvent

        private enum Keys: String, CodingKey { case at, ms }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(at, forKey: .at)
            try container.encode(ms, forKey: .ms)
            try event.encode(to: encoder)
        }
    }

    private let disk: RecordingDisk
    private let file: DiskFile
    private var position = 0
    private let encoder: JSONEncoder

    init(path: String, disk: RecordingDisk) {
        self.disk = disk
        file = DiskFile(path: path)
        encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .custom { path in SnakeCase.key(path) }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    func add(_ event: RecordingEvent, at moment: RecordingMoment) {
        let line = Line(at: moment.text, ms: moment.milliseconds, event: event)
        // Of these values none can fail to be encoded.
        guard let text = try? encoder.encode(line) else { return }
        disk.write(Array(text) + [0x0a], to: file, at: position)
        position += text.count + 1
    }

    func close() { disk.close(file) }
}

/// A moment of a recording.
struct RecordingMoment: Sendable, Equatable {
    /// Since the recording's begin: what its files count.
    var milliseconds: Int
    /// RFC 3339, UTC.
    var text: String

    /// - Parameters:
    ///   - begin: ms since 1970.
    ///   - time: ns since then.
    init(begin: Int64, time: UInt64) {
        milliseconds = Int(time / 1_000_000)
        text = Self.text(begin + Int64(milliseconds))
    }

    /// With milliseconds.
    static func text(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(count - text.count, 0)) + text
        }
        return digits(parts.tm_year + 1_900, 4) + "-" + digits(parts.tm_mon + 1, 2) + "-" + digits(parts.tm_mday, 2)
            + "T" + digits(parts.tm_hour, 2) + ":" + digits(parts.tm_min, 2) + ":" + digits(parts.tm_sec, 2) + "."
            + digits(milliseconds % 1_000, 3) + "Z"
    }
}

/// Names as files and the wire have them: `participantIDs` is `participant_ids`.
enum SnakeCase {
    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    static func key(_ path: [any CodingKey]) -> any CodingKey {
        let name = path.last?.stringValue ?? ""
        var text = ""
        var previous: Character = "_"
        for character in name {
            if character.isUppercase && !previous.isUppercase { text.append("_") }
            text += character.lowercased()
            previous = character
        }
        return Key(text)
    }
}
