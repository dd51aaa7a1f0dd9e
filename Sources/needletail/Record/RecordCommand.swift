import ArgumentParser
import Foundation
import Logging
import Recording
import ServiceLifecycle
import UnixSignals

/// Captures a meeting to disk until it ends, or until SIGTERM or SIGINT.
struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Capture a meeting to disk until it ends, or until SIGTERM or SIGINT.")

    @Option(name: .long, help: "The server, as https://meet.example.org or http://127.0.0.1:8080.")
    var url: String

    @Option(name: .long, help: "The meeting's number or identifier.")
    var meeting: String

    @Option(name: .long, help: "An existing folder; the recording gets one of its own in it.")
    var folder: String

    @Option(name: .long, help: "A file with the meeting's host key.")
    var hostKeyFile: String?

    @Option(name: .long, help: "A file with the meeting's password.")
    var passwordFile: String?

    @Option(name: .long, help: "A file with a service token that outlasts the meeting.")
    var tokenFile: String?

    @Option(
        name: .long,
        help: "A file with the authorities of the server's certificate (PEM), where the system has them not.")
    var authorities: String?

    @Option(name: .long, help: "What the others in the meeting see of the recorder.")
    var name = "Recording"

    func validate() throws {
        guard [hostKeyFile, passwordFile, tokenFile].compactMap(\.self).count == 1 else {
            throw ValidationError("give one of --host-key-file, --password-file and --token-file")
        }
        guard !meeting.isEmpty, meeting.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#%".utf8.contains($0) }) else {
            throw ValidationError("--meeting must be as 123-456-789 or m_...")
        }
    }

    /// What a file holds, without the line's end. Not an argument, as those all can see.
    private func secret() throws -> Recorder.Right {
        let (field, path) =
            hostKeyFile.map { ("host_key", $0) } ?? passwordFile.map { ("password", $0) } ?? ("token", tokenFile ?? "")
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        return Recorder.Right(field: field, secret: text)
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        try await Operator.run {
            LogOutput.bootstrap(json: false, level: .info)
            let logger = Logger(label: "needletail.record")
            let certificates = try authorities.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) }
            let server = try RecordServer(url, authorities: certificates)
            let recorder = Recorder(server, meeting: meeting, right: try secret(), name: name, logger: logger)
            let disk = RecordingDisk()
            try await capture(recorder, disk, logger)
            guard disk.drain(patience: 60) else {
                let reason = disk.trouble?.reason ?? "it is too slow"
                throw RecordServer.Failure(description: "the disk did not take all that was captured: \(reason)")
            }
        }
    }

    private func capture(_ recorder: Recorder, _ disk: RecordingDisk, _ logger: Logger) async throws {
        let (meeting, folder) = (meeting, folder)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await recorder.run { now in
                    let utc = Int64(Date().timeIntervalSince1970 * 1_000)
                    return try MeetingRecording(
                        meeting: meeting, in: folder, disk: disk, warn: { logger.error("\($0)") }, now: now, utc: utc)
                }
            }
            group.addTask { for await _ in signals { return } }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
