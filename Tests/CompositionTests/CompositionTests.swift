import Foundation
import TestSupport
import Testing

@testable import Composition

/// Material that the test makes itself is composed, and read back.
@Suite(.timeLimit(.minutes(5))) struct CompositionTests {
    private static let layout = Layout(width: 640, height: 360)

    /// One colour, and white from `flash` on for 0.2 s.
    private static func flashing(_ colour: String, _ size: String, seconds: Double, flash: Double) -> String {
        "color=c=\(colour):s=\(size):r=30:d=\(seconds),"
            + "drawbox=c=white:t=fill:enable='between(t,\(flash - 0.001),\(flash + 0.199))'"
    }

    private static func plain(_ colour: String, _ size: String, seconds: Double) -> String {
        "color=c=\(colour):s=\(size):r=30:d=\(seconds)"
    }

    /// Silence, and a tone from `click` on for 0.2 s.
    private static func clicking(seconds: Double, click: Double) -> String {
        "aevalsrc='if(between(t,\(click),\(click + 0.2)),0.5*sin(2*PI*1000*(t-\(click))),0)':s=48000:d=\(seconds)"
    }

    private static func options(_ folder: String) -> CompositionOptions {
        var options = CompositionOptions(output: folder + "/composition")
        (options.width, options.height) = (layout.width, layout.height)
        return options
    }

    @discardableResult
    private static func compose(_ folder: String, _ options: CompositionOptions) throws -> [String] {
        let composition = try Composition(try RecordedMeeting(folder: folder), options)
        var parts: [Double] = []
        try composition.run { parts.append($0) }
        #expect(parts.last == 1 && parts == parts.sorted())
        return composition.complaints
    }

    /// Four people, of whom one comes later and leaves, one is silent for a while, and one shares a screen.
    private static func meeting(_ folder: String) throws -> Material {
        var material = Material(folder)
        try material.say(0, "began")
        for (at, id, name) in [(0, "p_1", "Ada"), (0, "p_3", "Cyd"), (0, "p_4", "Dan"), (3_000, "p_2", "Bob")] {
            try material.say(at, "joined", id, ["display_name": name])
        }
        try material.add("p_1", "video", "vp8", flashing("red", "1280x720", seconds: 20, flash: 5))
        try material.add("p_1", "audio", "opus", clicking(seconds: 20, click: 5))
        try material.add("p_2", "video", "h264", plain("lime", "640x480", seconds: 9), begin: 3)
        try material.add(
            "p_3", "video", "vp9", plain("blue", "320x180", seconds: 20) + ",select='not(between(t,6,12.99))'")
        try material.add("p_4", "audio", "opus", "anullsrc=r=48000:cl=mono,atrim=duration=20")
        try material.add("p_1", "screen", "vp8", plain("yellow", "800x600", seconds: 3), begin: 15)
        try material.say(6_500, "chat", "p_2", ["chat_id": "c_1", "text": "hello", "display_name": "Bob"])
        try material.say(12_000, "left", "p_2")
        try material.say(18_000, "media_state", "p_1", ["audio": true, "video": true, "screen": false])
        try material.say(20_000, "ended")
        try material.finish()
        return material
    }

    @Test func theRightPersonIsInTheRightPlaceAtTheRightTime() throws {
        let scratch = try Scratch("composition")
        _ = try Self.meeting(scratch.path)
        let complaints = try Self.compose(scratch.path, Self.options(scratch.path))
        #expect(complaints == [])
        let film = scratch.path + "/composition/meeting.mp4"
        let seen = try Playback(film, width: 640, height: 360)
        #expect(seen.count == 600)
        let (three, four) = (Self.layout.gallery(3), Self.layout.gallery(4))
        // Ada, Cyd, Dan; then Bob too, behind them as he came last.
        #expect(three.map { seen.colour($0, at: 2.5) } == ["red", "blue", "dark"])
        #expect(seen.colour(four[3], at: 2.9) != "green" && seen.colour(four[3], at: 3.1) == "green")
        #expect(four.map { seen.colour($0, at: 4) } == ["red", "blue", "dark", "green"])
        // 4:3 in 16:9: nothing at its sides, and the colour up to its own edge.
        let inner = four[3].fitting(width: 640, height: 480)
        let middle = four[3].y + four[3].height / 2
        #expect(seen.colour(x: inner.x - 8, y: middle, at: 4) == "dark" && inner.x - 8 > four[3].x)
        #expect(seen.colour(x: inner.x + 6, y: middle, at: 4) == "green")
        #expect(seen.colour(x: inner.x + inner.width - 8, y: middle, at: 4) == "green")
        // The last picture stays 5 s, and then the name alone.
        #expect(seen.colour(four[1], at: 10.8) == "blue" && seen.colour(four[1], at: 11.3) == "dark")
        #expect(three.map { seen.colour($0, at: 12.5) } == ["red", "dark", "dark"])
        #expect(three.map { seen.colour($0, at: 13.2) } == ["red", "blue", "dark"])
        let (main, beside) = Self.layout.stage(beside: 3)
        #expect(seen.colour(main, at: 15.2) == "yellow" && seen.colour(main, at: 17.9) == "yellow")
        #expect(beside.map { seen.colour($0, at: 15.2) } == ["red", "blue", "dark"])
        #expect(three.map { seen.colour($0, at: 18.2) } == ["red", "blue", "dark"])
    }

    @Test func flashAndClickComeTogether() throws {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        let begins = [0.0, 2.345]
        for (index, begin) in begins.enumerated() {
            let id = "p_\(index)"
            try material.say(0, "joined", id, ["display_name": id])
            try material.add(id, "video", "vp8", Self.flashing("red", "320x180", seconds: 7, flash: 3), begin: begin)
            try material.add(id, "audio", "opus", Self.clicking(seconds: 7, click: 3), begin: begin)
        }
        try material.say(10_000, "ended")
        try material.finish()
        try Self.compose(scratch.path, Self.options(scratch.path))
        let seen = try Playback(scratch.path + "/composition/meeting.mp4", width: 640, height: 360)
        let clicks = Self.starts(seen.sound)
        #expect(clicks.count == 2)
        let places = Self.layout.gallery(2)
        for (index, begin) in begins.enumerated() {
            let flash = (0..<seen.count).map { Double($0) / 30 }.first { seen.colour(places[index], at: $0) == "white" }
            let (light, click) = (try #require(flash), try #require(clicks.dropFirst(index).first))
            print("flash \(light), click \(click) of \(begin + 3)")
            #expect(abs(light - click) <= 0.02)
            #expect(abs(click - begin - 3) <= 0.003, "the click is at \(click)")
        }
        // The file with the sound alone has the same.
        let alone = Self.starts(try Playback.sound(scratch.path + "/composition/audio.m4a"))
        #expect(zip(alone, clicks).allSatisfy { abs($0 - $1) < 0.000_1 } && alone.count == 2)
    }

    /// When it becomes loud behind silence, s.
    static func starts(_ sound: [Float]) -> [Double] {
        var (found, loud) = ([Double](), -1.0)
        for (index, sample) in sound.enumerated() where abs(sample) > 0.1 {
            let now = Double(index) / 48_000
            if now - loud > 0.1 { found.append(now) }
            loud = now
        }
        return found
    }

    private struct Probe: Decodable {
        struct Stream: Decodable {
            var codecName: String
            var profile: String?
            var width: Int?
            var pixFmt: String?
            var avgFrameRate: String?
            var tags: [String: String]
        }
        struct Format: Decodable {
            var duration: String
            var tags: [String: String]
        }
        struct Chapter: Decodable {
            var startTime: String
            var tags: [String: String]
        }
        var streams: [Stream]
        var format: Format
        var chapters: [Chapter]
    }

    @Test func theFilesAreWhatPlayersTake() throws {
        let scratch = try Scratch("composition")
        _ = try Self.meeting(scratch.path)
        var options = Self.options(scratch.path)
        (options.from, options.until) = (4_000, 19_000)
        try Self.compose(scratch.path, options)
        let folder = scratch.path + "/composition"
        let text = try Tool.run(
            "ffprobe",
            ["-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json", folder + "/meeting.mp4"])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let probe = try decoder.decode(Probe.self, from: Data(text))
        let (video, audio) = (try #require(probe.streams.first), try #require(probe.streams.dropFirst().first))
        #expect(video.codecName == "h264" && video.profile == "High" && video.pixFmt == "yuv420p")
        #expect(video.width == 640 && video.avgFrameRate == "30/1")
        #expect(audio.codecName == "aac" && audio.tags["handler_name"] == "All voices")
        #expect(abs((Double(probe.format.duration) ?? 0) - 15) < 0.05)
        #expect(probe.format.tags["creation_time"] == "2026-01-01T00:00:00.000000Z")
        #expect(probe.chapters.map(\.tags["title"]) == ["Meeting", "Screen: Ada", "Meeting"])
        #expect(probe.chapters.map(\.startTime).map { Double($0) } == [0, 11, 14])
        // The index is before what it is of (fast start), and nothing of its making is left.
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/meeting.mp4")))
        let index = try #require(bytes.firstRange(of: Array("moov".utf8)))
        let media = try #require(bytes.firstRange(of: Array("mdat".utf8)))
        #expect(index.lowerBound < media.lowerBound)
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
        #expect(names == ["meeting.mp4", "audio.m4a", "chat.vtt", "contact-sheet.jpg", "thumbnails"])
        let thumbnails = try FileManager.default.contentsOfDirectory(atPath: folder + "/thumbnails")
        #expect(thumbnails == ["0001.jpg"])
        let size = try Tool.run(
            "ffprobe",
            ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0"] + [
                folder + "/thumbnails/0001.jpg"
            ])
        #expect(String(decoding: size, as: UTF8.self) == "mjpeg,480,270\n")
        #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", folder + "/contact-sheet.jpg", "-f", "null", "-"]) == [])
        #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", folder + "/meeting.mp4", "-f", "null", "-"]) == [])
        #expect(
            try String(contentsOfFile: folder + "/chat.vtt", encoding: .utf8)
                == "WEBVTT\n\n00:00:02.500 --> 00:00:08.500\n<v Bob>hello\n")
        let seen = try Playback(folder + "/meeting.mp4", width: 640, height: 360)
        #expect(Self.layout.gallery(4).map { seen.colour($0, at: 0.02) } == ["red", "blue", "dark", "green"])
        #expect(seen.colour(Self.layout.gallery(4)[0], at: 1.01) == "white")
    }

    /// Whatever becomes of files, the others are composed, and a line says what is missing.
    @Test func whatIsBrokenIsLeftOut() throws {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        try material.add("p_1", "video", "vp8", Self.plain("red", "320x180", seconds: 4))
        try material.add("p_2", "video", "h264", Self.plain("lime", "320x180", seconds: 4))
        try material.add("p_3", "video", "vp8", Self.plain("blue", "320x180", seconds: 2))
        try material.add("p_3", "video", number: 2, "av1", Self.plain("yellow", "160x120", seconds: 2), begin: 2)
        func path(_ name: String) -> String { scratch.path + "/" + name }
        // A crash's last cluster, nothing at all, no Matroska, and a picture where sound should be.
        let whole = try Data(contentsOf: URL(fileURLWithPath: path("p_2-video-1.mkv")))
        try whole.prefix(whole.count * 7 / 10).write(to: URL(fileURLWithPath: path("p_2-video-1.mkv")))
        try Data().write(to: URL(fileURLWithPath: path("p_4-video-1.mkv")))
        try "#EXTM3U\n/etc/passwd\n".write(toFile: path("p_5-video-1.mkv"), atomically: false, encoding: .utf8)
        try FileManager.default.copyItem(atPath: path("p_1-video-1.mkv"), toPath: path("p_6-audio-1.mkv"))
        #expect(mkfifo(path("p_7-video-1.mkv"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: path("p_8-video-1.mkv"), withDestinationPath: "/dev/zero")
        try "{\"ms\":0,\"event\":\"joined\",\"participant_id\":\"p_1\",\"display_name\":\"Ada\"}\nnonsense\n".write(
            toFile: path("events.jsonl"), atomically: false, encoding: .utf8)
        let complaints = try Self.compose(scratch.path, Self.options(scratch.path)).joined(separator: "\n")
        for said in [
            "recording.json is missing", "events.jsonl: 1 lines", "p_4-video-1.mkv is left out",
            "p_5-video-1.mkv is left out", "p_6-audio-1.mkv is left out", "p_7-video-1.mkv is left out: it is no file",
            "p_8-video-1.mkv is left out: it is no file",
        ] { #expect(complaints.contains(said), "\(complaints)") }
        let seen = try Playback(scratch.path + "/composition/meeting.mp4", width: 640, height: 360)
        let three = Self.layout.gallery(3)
        #expect(three.map { seen.colour($0, at: 1) } == ["red", "green", "blue"])
        // Of whom nothing is known any more is gone.
        #expect(Self.layout.gallery(2).map { seen.colour($0, at: 3.8) } == ["red", "yellow"])
    }

    /// Sizes change within a file, as layers of simulcast do.
    @Test func aPictureThatChangesItsSizeStaysInItsPlace() throws {
        let (scratch, parts) = (try Scratch("composition"), try Scratch("composition"))
        var material = Material(parts.path)
        let sizes = [("red", "320x180"), ("lime", "640x480"), ("blue", "90x160")]
        for (number, (colour, size)) in sizes.enumerated() {
            let source = Self.plain(colour, size, seconds: 2)
            try material.add("p_1", "video", number: number, "vp8", source)
        }
        let list = sizes.indices.map { "file '\(parts.path)/p_1-video-\($0).mkv'\n" }.joined()
        try list.write(toFile: parts.path + "/list", atomically: false, encoding: .utf8)
        try Tool.run(
            "ffmpeg",
            ["-v", "error", "-f", "concat", "-safe", "0", "-i", parts.path + "/list", "-c", "copy"] + [
                scratch.path + "/p_1-video-1.mkv"
            ])
        try Self.compose(scratch.path, Self.options(scratch.path))
        let seen = try Playback(scratch.path + "/composition/meeting.mp4", width: 640, height: 360)
        let place = Self.layout.gallery(1)[0]
        #expect([1.0, 3, 5].map { seen.colour(place, at: $0) } == ["red", "green", "blue"])
        // What was beside it before is gone.
        #expect([1.0, 3, 5].map { seen.colour(x: 20, y: 180, at: $0) } == ["red", "dark", "dark"])
    }

    /// A second run of the same recording makes the same film; one that was interrupted leaves none under its name.
    @Test func theSameRecordingMakesTheSameFilm() throws {
        let scratch = try Scratch("composition")
        var material = Material(scratch.path)
        try material.add("p_1", "video", "vp8", Self.plain("red", "320x180", seconds: 3))
        try material.add("p_1", "audio", "opus", Self.clicking(seconds: 3, click: 1))
        try material.finish()
        var options = Self.options(scratch.path)
        options.threads = 1
        let film = URL(fileURLWithPath: options.output + "/meeting.mp4")
        // One that was made and never ran is one that was interrupted at once.
        _ = try Composition(try RecordedMeeting(folder: scratch.path), options)
        #expect(!FileManager.default.fileExists(atPath: film.path))
        try Self.compose(scratch.path, options)
        let first = try Data(contentsOf: film)
        try Self.compose(scratch.path, options)
        #expect(try Data(contentsOf: film) == first)
    }

    @Test func whatIsNoRecordingIsSaid() throws {
        let scratch = try Scratch("composition")
        // With the reasons.
        try Data().write(to: URL(fileURLWithPath: scratch.path + "/p_9-video-1.mkv"))
        let said = (#expect(throws: MediaError.self) { try RecordedMeeting(folder: scratch.path) })?.description ?? ""
        #expect(said.contains("no recording in it") && said.contains("p_9-video-1.mkv is left out"), "\(said)")
        #expect(throws: MediaError.self) { try RecordedMeeting(folder: scratch.path + "/none") }
        #expect(throws: MediaError.self) { try TextRenderer(path: "/etc/hostname") }
        var material = Material(scratch.path)
        try material.add("p_1", "video", "vp8", Self.plain("red", "320x180", seconds: 1))
        var options = Self.options(scratch.path)
        options.from = 5_000
        #expect(throws: MediaError.self) { try Composition(try RecordedMeeting(folder: scratch.path), options) }
    }
}
