import Foundation
import Wire

/// What all sources of a recording share: its folder, its clock, its log and its manifest. One thread or actor owns it.
final class RecordingContext {
    let folder: String
    let disk: RecordingDisk
    /// Tells operators what is wrong, in one line.
    let warn: (String) -> Void
    /// ns of the recorder's clock.
    let origin: UInt64
    /// ms since 1970.
    let begin: Int64
    private let log: EventLog
    private(set) var manifest: RecordingManifest

    init(
        folder: String, meeting: String, disk: RecordingDisk, warn: @escaping (String) -> Void, origin: UInt64,
        begin: Int64
    ) {
        self.folder = folder
        self.disk = disk
        self.warn = warn
        self.origin = origin
        self.begin = begin
        log = EventLog(path: folder + "/events.jsonl", disk: disk)
        manifest = RecordingManifest(meetingID: meeting, startedAt: RecordingMoment.text(begin))
    }

    /// RFC 3339.
    var beginText: String { manifest.startedAt }

    /// Since the recording's begin, ns.
    func time(_ moment: UInt64) -> UInt64 { moment > origin ? moment - origin : 0 }

    func log(_ event: RecordingEvent, at moment: UInt64) {
        log.add(event, at: RecordingMoment(begin: begin, time: time(moment)))
    }

    /// Changes the manifest, and writes it.
    func change(_ body: (inout RecordingManifest) -> Void) {
        body(&manifest)
        disk.replace(folder + "/recording.json", with: manifest.text)
    }

    func close() { log.close() }
}

/// What a recording consists of; `recording.json` of its folder.
public struct RecordingManifest: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        /// Also after a crash: the files then are as long as they are, without index and duration.
        case recording
        case complete
    }

    public struct Participant: Codable, Sendable, Equatable {
        public var participantID: String
        public var displayName: String

        enum CodingKeys: String, CodingKey {
            case participantID = "participant_id"
            case displayName = "display_name"
        }
    }

    public struct File: Codable, Sendable, Equatable {
        public var file: String
        public var participantID: String
        public var source: String
        public var codec: String
        /// Of the first frame, ms since `startedAt`: its time in the file.
        public var fromMs: Int
        /// Of the last frame; absent in a file that was not ended.
        public var untilMs: Int?
        public var frames: Int?
        public var bytes: Int?

        enum CodingKeys: String, CodingKey {
            case file, source, codec, frames, bytes
            case participantID = "participant_id"
            case fromMs = "from_ms"
            case untilMs = "until_ms"
        }
    }

    /// Of this form.
    public var version = 1
    public var meetingID: String
    /// RFC 3339, UTC: 0 of the times in all files.
    public var startedAt: String
    public var endedAt: String?
    public var state = State.recording
    public var participants: [Participant] = []
    public var files: [File] = []

    enum CodingKeys: String, CodingKey {
        case version, state, participants, files
        case meetingID = "meeting_id"
        case startedAt = "started_at"
        case endedAt = "ended_at"
    }

    init(meetingID: String, startedAt: String) {
        self.meetingID = meetingID
        self.startedAt = startedAt
    }

    var text: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array((try? encoder.encode(self)) ?? Data()) + [0x0a]
    }
}

extension Codec {
    /// As files name it.
    public var recordingName: String {
        switch self {
        case .opus: "opus"
        case .vp8: "vp8"
        case .h264: "h264"
        case .vp9: "vp9"
        case .av1: "av1"
        }
    }
}
