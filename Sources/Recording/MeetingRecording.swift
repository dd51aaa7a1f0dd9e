import Foundation
import Wire

/// A meeting as it is captured: a folder with a file for each source, a log of events, and a manifest. One thread or actor owns it.
///
/// Each source has files of its own: what comes and goes, changes its codec or fails leaves the others alone, and none of them
/// has to wait for another, as tracks of one file would.
public final class MeetingRecording {
    /// The folder cannot be made.
    public struct FolderError: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Sources of a meeting; others are not captured.
    public static let mostSources = 2_000

    /// The recording's own, below the one that was given.
    public var folder: String { context.folder }
    /// What it consists of so far.
    public var manifest: RecordingManifest { context.manifest }
    private let context: RecordingContext
    private var sources: [SourceName: SourceRecording] = [:]
    private var reports = ReportClock()
    private var trouble: DiskTrouble?

    /// Makes the folder, named by meeting and time.
    ///
    /// - Parameters:
    ///   - parent: an existing folder.
    ///   - warn: tells operators what is wrong, in one line.
    ///   - now: ns of a monotonic clock, of which all later times are.
    ///   - utc: the same moment, ms since 1970.
    /// - Throws: `FolderError`; `MatroskaError` where libavformat is missing.
    public init(
        meeting: String, in parent: String, disk: RecordingDisk, warn: @escaping (String) -> Void, now: UInt64,
        utc: Int64
    ) throws {
        try MatroskaFile.prepare()
        let name = SourceName(participantID: meeting, kind: .audio).fileName.dropLast("-audio".count)
        let time = RecordingMoment.text(utc).prefix(19).filter { $0 != ":" && $0 != "-" }
        let folder = try Self.makeFolder("\(parent)/\(name)-\(time)Z")
        context = RecordingContext(
            folder: folder, meeting: meeting, disk: disk, warn: warn, origin: now, begin: utc)
        context.change { _ in }
        context.log(RecordingEvent(.began), at: now)
    }

    private static func makeFolder(_ path: String) throws -> String {
        for attempt in 1...100 {
            let candidate = attempt == 1 ? path : "\(path)-\(attempt)"
            if mkdir(candidate, 0o700) == 0 { return candidate }
            guard errno == EEXIST else {
                throw FolderError(description: "\(candidate): \(String(cString: strerror(errno)))")
            }
        }
        throw FolderError(description: "\(path): there already")
    }

    /// The source of that name, made when it is new; nil when there are too many.
    public func source(_ name: SourceName) -> SourceRecording? {
        if let source = sources[name] { return source }
        guard sources.count < Self.mostSources else { return nil }
        let source = SourceRecording(name, context: context)
        sources[name] = source
        return source
    }

    /// When a sender report with this NTP time was written, ns of the recorder's clock: of reports of one sender, whose clock is one.
    public func moment(ntp: UInt64, arrival: UInt64) -> UInt64 { reports.note(ntp: ntp, arrival: arrival) }

    /// Writes what happened to the log.
    public func log(_ event: RecordingEvent, now: UInt64) {
        context.log(event, at: now)
        guard event.event == .joined, let id = event.participantID else { return }
        let participant = RecordingManifest.Participant(participantID: id, displayName: event.displayName ?? "")
        guard !context.manifest.participants.contains(participant) else { return }
        context.change { $0.participants.append(participant) }
    }

    /// The participant gives nothing more: its files end.
    public func endSources(of participantID: String, now: UInt64) {
        for (name, source) in sources where name.participantID == participantID {
            source.end(now: now)
            sources[name] = nil
        }
    }

    /// Does what is due. To be called about every 20 ms.
    public func advance(now: UInt64) {
        for source in sources.values { source.advance(now: now) }
        noteDisk(now: now)
    }

    private func noteDisk(now: UInt64) {
        let current = context.disk.trouble
        guard (current == nil) != (trouble == nil) else { return }
        trouble = current
        var event = RecordingEvent(current == nil ? .diskRecovered : .diskFailed)
        event.reason = current?.reason
        context.log(event, at: now)
        if let current {
            context.warn("the disk takes nothing, and what is captured waits: \(current.path): \(current.reason)")
        } else {
            context.warn("the disk takes the recording again")
        }
    }

    /// Ends all files, the log, and the manifest. The caller then waits for the disk.
    public func end(now: UInt64, reason: String? = nil) {
        for (_, source) in sources.sorted(by: { $0.key.fileName < $1.key.fileName }) { source.end(now: now) }
        sources = [:]
        noteDisk(now: now)
        var event = RecordingEvent(.ended)
        event.reason = reason
        context.log(event, at: now)
        let end = RecordingMoment(begin: context.begin, time: context.time(now)).text
        context.change { manifest in
            manifest.endedAt = end
            manifest.state = .complete
        }
        context.close()
    }
}
