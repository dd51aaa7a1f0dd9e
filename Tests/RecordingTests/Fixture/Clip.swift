import Foundation
import TestSupport
import Wire

/// Frames that an encoder made, as they leave it.
public struct Clip: Sendable {
    public struct Failure: Error {
        public let reason: String
    }

    public var codec: Codec
    /// Of H.264 the NAL units of each access unit, else one piece each.
    public var frames: [[[UInt8]]]
    /// ns between two frames.
    public var interval: UInt64
    /// What ffmpeg wrote, to be compared with.
    public var path: String

    private static let encoders: [Codec: [String]] = [
        .vp8: ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "60", "-f", "ivf"],
        .vp9: [
            "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-b:v", "1M", "-g",
            "60", "-f", "ivf",
        ],
        .h264: [
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "60",
            "-x264-params", "aud=1:slices=1:repeat-headers=1", "-f", "h264",
        ],
        .av1: [
            "-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-b:v", "500k", "-g",
            "60", "-pix_fmt", "yuv420p", "-f", "ivf",
        ],
        // At a constant rate a packet of 20 ms has 160 bytes.
        .opus: ["-map", "0:a", "-c:a", "libopus", "-b:a", "64k", "-vbr", "off", "-f", "data"],
    ]

    /// Has ffmpeg encode a moving picture of 30 frames a second, or a tone, into `folder`.
    public static func make(
        _ codec: Codec, seconds: Int, size: String = "320x180", tone: Int = 440, in folder: String
    ) throws -> Clip {
        let path = "\(folder)/\(codec)-\(size)-\(tone)-\(seconds)"
        let source =
            codec == .opus
            ? "sine=frequency=\(tone):sample_rate=48000:duration=\(seconds)"
            : "testsrc2=size=\(size):rate=30:duration=\(seconds)"
        let arguments = ["-v", "error", "-y", "-f", "lavfi", "-i", source] + (encoders[codec] ?? []) + [path]
        let program = try ChildProgram("/usr/bin/ffmpeg", arguments, readsErrors: true)
        var said: [UInt8] = []
        while case let more = program.read(), !more.isEmpty { said += more }
        guard program.waitUntilExit() == .exited(0) else {
            throw Failure(reason: String(decoding: said, as: UTF8.self))
        }
        return try Clip(codec, path: path)
    }

    /// What `make` left in a file.
    public init(_ codec: Codec, path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        self.codec = codec
        self.path = path
        interval = codec == .opus ? 20_000_000 : 33_333_333
        frames =
            switch codec {
            case .opus: stride(from: 0, to: bytes.count - 159, by: 160).map { [Array(bytes[$0..<$0 + 160])] }
            case .h264: Self.accessUnits(bytes)
            case .vp8, .vp9, .av1: Self.ivf(bytes)
            }
    }

    private static func ivf(_ bytes: [UInt8]) -> [[[UInt8]]] {
        var frames: [[[UInt8]]] = []
        var offset = 32
        while offset + 12 <= bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            guard offset + 12 + size <= bytes.count else { break }
            frames.append([Array(bytes[offset + 12..<offset + 12 + size])])
            offset += 12 + size
        }
        return frames
    }

    /// Annex B of H.264; a delimiter begins each access unit, and is left out.
    private static func accessUnits(_ bytes: [UInt8]) -> [[[UInt8]]] {
        var starts: [Int] = []
        for index in 0..<max(bytes.count - 3, 0)
        where bytes[index] == 0 && bytes[index + 1] == 0 && bytes[index + 2] == 1 { starts.append(index + 3) }
        var units: [[[UInt8]]] = []
        for (place, start) in starts.enumerated() {
            var end = place + 1 < starts.count ? starts[place + 1] - 3 : bytes.count
            while end > start, bytes[end - 1] == 0 { end -= 1 }
            if bytes[start] & 0x1f == 9 {
                units.append([])
            } else if !units.isEmpty {
                units[units.count - 1].append(Array(bytes[start..<end]))
            }
        }
        return units
    }
}
