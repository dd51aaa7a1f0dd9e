import Foundation
import TestSupport
import Testing

@testable import Composition

/// Programs that make and play material.
enum Tool {
    struct Failure: Error {
        var said: String
    }

    /// What a program says that has to succeed.
    @discardableResult
    static func run(_ name: String, _ arguments: [String], readsErrors: Bool = true) throws -> [UInt8] {
        let program = try ChildProgram("/usr/bin/" + name, arguments, readsErrors: readsErrors)
        var said: [UInt8] = []
        while case let more = program.read(), !more.isEmpty { said += more }
        guard program.waitUntilExit() == .exited(0) else {
            throw Failure(said: "\(name) \(arguments): " + String(decoding: said, as: UTF8.self))
        }
        return said
    }
}

/// A recording that ffmpeg makes, as the recorder would leave it.
struct Material {
    /// How an encoder is called.
    static let encoders: [String: [String]] = [
        "vp8": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-g", "90"],
        "vp9": [
            "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-b:v", "1M", "-g",
            "90",
        ],
        "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "90"],
        "av1": [
            "-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-b:v", "500k", "-g",
            "90", "-pix_fmt", "yuv420p",
        ],
        "opus": ["-c:a", "libopus", "-b:a", "96k"],
    ]

    let folder: String
    var log: [String] = []
    private var files: [[String: Any]] = []
    private var people: [[String: String]] = []

    init(_ folder: String) { self.folder = folder }

    /// - Parameters:
    ///   - source: for lavfi.
    ///   - begin: s since the recording's begin.
    ///   - more: options of the output.
    mutating func add(
        _ id: String, _ kind: String, number: Int = 1, _ codec: String, _ source: String, begin: Double = 0,
        _ more: [String] = []
    ) throws {
        let name = "\(id)-\(kind)-\(number).mkv"
        // ffmpeg 5.1 has Opus's delay in the header, and in the times only where they would begin below 0.
        let offset = codec == "opus" && begin > 0 ? begin + 0.006_5 : begin
        try Tool.run(
            "ffmpeg",
            ["-v", "error", "-y", "-f", "lavfi", "-i", source] + (Self.encoders[codec] ?? []) + more + [
                "-fps_mode", "passthrough", "-output_ts_offset", "\(offset)", "\(folder)/\(name)",
            ])
        files.append([
            "file": name, "participant_id": id, "source": kind, "codec": codec, "from_ms": Int(begin * 1_000),
        ])
    }

    mutating func say(_ ms: Int, _ event: String, _ id: String? = nil, _ more: [String: Any] = [:]) throws {
        var line: [String: Any] = ["at": "2026-01-01T00:00:00.000Z", "ms": ms, "event": event]
        line["participant_id"] = id
        line.merge(more) { $1 }
        log.append(String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self))
        if event == "joined", let id {
            people.append(["participant_id": id, "display_name": more["display_name"] as? String ?? ""])
        }
    }

    /// Writes log and manifest.
    func finish() throws {
        try (log.joined(separator: "\n") + "\n").write(
            toFile: folder + "/events.jsonl", atomically: false, encoding: .utf8)
        let manifest: [String: Any] = [
            "version": 1, "meeting_id": "m_1", "started_at": "2026-01-01T00:00:00.000Z",
            "ended_at": "2026-01-01T00:01:00.000Z", "state": "complete", "participants": people, "files": files,
        ]
        try JSONSerialization.data(withJSONObject: manifest).write(
            to: URL(fileURLWithPath: folder + "/recording.json"))
    }
}

/// What is seen and heard of a film that was read back.
struct Playback {
    /// The pictures are read so much smaller.
    static let reduction = 4

    let width: Int
    let height: Int
    private let pictures: [UInt8]
    /// Of both sides together, 48 kHz.
    let sound: [Float]
    var count: Int { pictures.count / (width * height * 3) }

    init(_ path: String, width: Int, height: Int) throws {
        (self.width, self.height) = (width / Self.reduction, height / Self.reduction)
        pictures = try Tool.run(
            "ffmpeg",
            [
                "-v", "error", "-i", path, "-vf", "scale=\(self.width):\(self.height):flags=area", "-f", "rawvideo",
                "-pix_fmt", "rgb24", "-",
            ])
        sound = try Self.sound(path)
    }

    static func sound(_ path: String) throws -> [Float] {
        let bytes = try Tool.run(
            "ffmpeg", ["-v", "error", "-i", path, "-map", "0:a", "-f", "f32le", "-ac", "1", "-ar", "48000", "-"])
        return bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    /// In the middle of a place of the film, at a moment, s.
    func colour(_ place: Rectangle, at moment: Double) -> String {
        colour(x: place.x + place.width / 2, y: place.y + place.height / 2, at: moment)
    }

    func colour(x: Int, y: Int, at moment: Double) -> String {
        let frame = Int(moment * 30 + 0.001)
        guard frame < count else { return "nothing" }
        let offset = ((frame * height + y / Self.reduction) * width + x / Self.reduction) * 3
        let parts = pictures[offset..<offset + 3].map { $0 > 128 }
        return switch (parts[0], parts[1], parts[2]) {
        case (true, false, false): "red"
        case (false, true, false): "green"
        case (false, false, true): "blue"
        case (true, true, false): "yellow"
        case (true, true, true): "white"
        case (false, false, false): "dark"
        default: "other"
        }
    }
}
