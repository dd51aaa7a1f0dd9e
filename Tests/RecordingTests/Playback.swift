import Foundation
import RecordingFixture
import TestSupport
import Testing
import Wire

/// What players say of a file.
enum Playback {
    struct Packet: Decodable, Equatable {
        var pts: Int
        var flags: String
        var isKeyframe: Bool { flags.hasPrefix("K") }
    }

    private struct Probe: Decodable {
        var packets: [Packet]
    }

    /// Standard output and error of a program that has to succeed.
    static func run(_ path: String, _ arguments: [String]) throws -> String {
        let program = try ChildProgram(path, arguments, readsErrors: true)
        var said: [UInt8] = []
        while case let more = program.read(), !more.isEmpty { said += more }
        let text = String(decoding: said, as: UTF8.self)
        #expect(program.waitUntilExit() == .exited(0), "\(path): \(text)")
        return text
    }

    /// What ffmpeg complains of as it decodes all of it; nothing, of a good file.
    static func complaints(_ path: String) throws -> String {
        // By itself ffmpeg rounds the times of pictures to those of 30 a second, and complains of two that it rounds to one.
        try run("/usr/bin/ffmpeg", ["-v", "error", "-i", path, "-enc_time_base", "-1", "-f", "null", "-"])
    }

    /// ffprobe's packets; the times are ms.
    static func packets(_ path: String) throws -> [Packet] {
        let text = try run(
            "/usr/bin/ffprobe",
            ["-v", "quiet", "-show_packets", "-show_entries", "packet=pts,flags", "-of", "json", path])
        return try JSONDecoder().decode(Probe.self, from: Data(text.utf8)).packets
    }

    /// Of the container and its stream, as ffprobe names them.
    static func entry(_ name: String, _ path: String) throws -> String {
        try run("/usr/bin/ffprobe", ["-v", "error", "-show_entries", name, "-of", "default=nw=1:nk=1", path])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A hash of each decoded picture.
    static func pictures(_ path: String) throws -> [Substring] {
        try run(
            "/usr/bin/ffmpeg", ["-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "framemd5", "-"]
        ).split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").last }
    }
}

/// Clips that all tests share.
enum Clips {
    private static let folder: Result<Scratch, any Error> = Result {
        let scratch = try Scratch("recording")
        atexit { try? Clips.folder.get().remove() }
        return scratch
    }

    static let vp8 = make(.vp8)
    static let vp9 = make(.vp9)
    static let h264 = make(.h264)
    static let av1 = make(.av1)
    static let opus = make(.opus)
    static let hd = Result { try Clip.make(.vp8, seconds: 4, size: "1280x720", in: folder.get().path) }
    static let smallH264 = Result { try Clip.make(.h264, seconds: 2, size: "160x90", in: folder.get().path) }

    private static func make(_ codec: Codec) -> Result<Clip, any Error> {
        Result { try Clip.make(codec, seconds: 4, in: folder.get().path) }
    }

    static func of(_ codec: Codec) throws -> Clip {
        switch codec {
        case .vp8: try vp8.get()
        case .vp9: try vp9.get()
        case .h264: try h264.get()
        case .av1: try av1.get()
        case .opus: try opus.get()
        }
    }
}
