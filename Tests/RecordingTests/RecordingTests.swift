import Foundation
import RecordingFixture
import TestSupport
import Testing
import Wire

@testable import Recording

@Suite(.timeLimit(.minutes(3))) struct RecordingTests {
    private static let second: UInt64 = 1_000_000_000

    /// The events of a recording's log.
    private static func events(_ recording: MeetingRecording) throws -> [[String: Any]] {
        let text = try String(contentsOfFile: recording.folder + "/events.jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private static func events(_ recording: MeetingRecording, _ kind: String) throws -> [[String: Any]] {
        try events(recording).filter { $0["event"] as? String == kind }
    }

    private static func path(_ broadcast: Broadcast, _ name: String) -> String {
        broadcast.recording.folder + "/" + name
    }

    @Test(arguments: [Codec.vp8, .vp9, .h264, .av1]) func aCameraIsCapturedPictureByPicture(_ codec: Codec) throws {
        let scratch = try Scratch("recording")
        let clip = try Clips.of(codec)
        var camera = Publisher(.video, clip)
        camera.end = 4 * Self.second - 1_000_000
        let broadcast = try Broadcast([camera], in: scratch.path)
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        let path = Self.path(broadcast, "p_1-video-1.mkv")
        #expect(try Playback.complaints(path) == "")
        #expect(try Playback.pictures(path) == Playback.pictures(clip.path))
        #expect(
            try Playback.entry("stream=codec_name,width,height", path).split(separator: "\n") == [
                "\(codec)", "320", "180",
            ])
        #expect(try Playback.entry("format_tags=creation_time", path) == "2026-01-01T00:00:00.000000Z")
        let packets = try Playback.packets(path)
        for (index, packet) in packets.enumerated() {
            let captured = Int(UInt64(index) * clip.interval / 1_000_000)
            // 20 ms on the way, until reports say so.
            #expect((captured - 1...captured + 41).contains(packet.pts), "\(index): \(packet.pts)")
        }
        #expect(packets.first?.isKeyframe == true && packets.count { $0.isKeyframe } == 2)
    }

    @Test func soundIsCapturedPacketByPacket() throws {
        let scratch = try Scratch("recording")
        let clip = try Clips.of(.opus)
        var microphone = Publisher(.audio, clip)
        microphone.end = 2 * Self.second
        let broadcast = try Broadcast([microphone], in: scratch.path)
        broadcast.run(until: 3 * Self.second)
        #expect(broadcast.end())
        let path = Self.path(broadcast, "p_1-audio-1.mkv")
        #expect(try Playback.complaints(path) == "")
        let packets = try Playback.packets(path)
        #expect(packets.count == 100)
        #expect(zip(packets, packets.dropFirst()).allSatisfy { (18...22).contains($1.pts - $0.pts) })
        #expect(try Playback.entry("stream=codec_name,sample_rate,channels", path) == "opus\n48000\n2")
    }

    /// Loss, duplicates and disorder on the way, with repair: nothing is missing in the end.
    @Test(arguments: 1...5) func whatIsAskedForAgainIsNotMissing(_ seed: UInt64) throws {
        let scratch = try Scratch("recording")
        var camera = Publisher(.video, try Clips.of(.vp8))
        camera.end = 4 * Self.second - 1_000_000
        var microphone = Publisher(.audio, try Clips.of(.opus))
        microphone.end = camera.end
        let weather = Weather(loss: 0.05, duplication: 0.05, delay: 20_000_000, jitter: 30_000_000)
        let broadcast = try Broadcast([camera, microphone], weather, in: scratch.path, seed: seed)
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        #expect(broadcast.packetsLost > 20)
        let path = Self.path(broadcast, "p_1-video-1.mkv")
        #expect(try Playback.complaints(path) == "")
        let (found, made) = (try Playback.pictures(path), try Playback.pictures(camera.clip.path))
        // Of the very last packets nobody can know that they are missing.
        #expect(found.count >= 118 && found[...] == made.prefix(found.count))
        #expect(try Playback.packets(Self.path(broadcast, "p_1-audio-1.mkv")).count >= 198)
        #expect(try Self.events(broadcast.recording, "gap").isEmpty)
    }

    /// Without repair pictures are missing: those behind a hole wait for a keyframe, which is asked for, and the log says from when to
    /// when. No decoder has anything to complain of.
    @Test(arguments: [Codec.vp8, .vp9, .h264, .av1]) func gapsStayGaps(_ codec: Codec) throws {
        let scratch = try Scratch("recording")
        let camera = Publisher(.video, try Clips.of(codec))
        let weather = Weather(loss: 0.01, duplication: 0.02, jitter: 20_000_000, repairs: false)
        let broadcast = try Broadcast([camera], weather, in: scratch.path, seed: 4)
        broadcast.run(until: 12 * Self.second)
        #expect(broadcast.end())
        let path = Self.path(broadcast, "p_1-video-1.mkv")
        #expect(try Playback.complaints(path) == "")
        let gaps = try Self.events(broadcast.recording, "gap")
        // One keyframe may end several holes.
        #expect(!gaps.isEmpty && 2 * broadcast.publishers[0].keyframesAsked >= gaps.count)
        let times = try Playback.packets(path).map(\.pts)
        for gap in gaps where gap["from_ms"] != nil {
            let (from, until) = (try #require(gap["from_ms"] as? Int), try #require(gap["until_ms"] as? Int))
            #expect(until - from < 1_500)
            #expect(!times.contains { $0 > from + 1 && $0 < until - 1 }, "\(gap)")
            #expect(gap["packets_lost"] as? Int ?? 0 > 0)
        }
        // Elsewhere no picture is missing.
        let holes = zip(times, times.dropFirst()).filter { $1 - $0 > 40 }
        #expect(holes.allSatisfy { hole in gaps.contains { abs(($0["from_ms"] as? Int ?? 0) - hole.0) <= 1 } })
    }

    @Test func aPublisherThatSendsNoKeyframesIsCapturedDamaged() throws {
        let scratch = try Scratch("recording")
        let camera = Publisher(.video, try Clips.of(.vp8))
        let weather = Weather(loss: 0, repairs: false, answersKeyframes: false)
        let broadcast = try Broadcast([camera], weather, in: scratch.path)
        broadcast.onStep = { $0.weather.loss = $1 == 500_000_000 ? 1 : $1 == 550_000_000 ? 0 : $0.weather.loss }
        // The clip's keyframes would come after 2 s.
        broadcast.publishers[0].clip.frames =
            broadcast.publishers[0].clip.frames.prefix(60)
            + (0..<120).map { _ in broadcast.publishers[0].clip.frames[30] }
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        let times = try Playback.packets(Self.path(broadcast, "p_1-video-1.mkv")).map(\.pts)
        let hole = try #require(zip(times, times.dropFirst()).first { $1 - $0 > 500 })
        #expect(hole.0 < 560 && (2_300...3_000).contains(hole.1), "\(hole)")
        #expect((times.last ?? 0) > 4_800)
    }

    /// A publisher that begins anew, with another SSRC and other timestamps: one file goes on, and the log says so.
    @Test func aRestartGoesOnInTheSameFile() throws {
        let scratch = try Scratch("recording")
        let camera = Publisher(.video, try Clips.of(.vp8))
        let broadcast = try Broadcast([camera], in: scratch.path)
        broadcast.run(until: 2 * Self.second)
        var next = Publisher(.video, try Clips.of(.vp8), base: 77)
        next.begin = 2 * Self.second + 500_000_000
        next.packetizer.ssrc = 999
        next.packetizer.sequence = 5
        broadcast.publishers.append(next)
        broadcast.publishers[0].end = 2 * Self.second
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        let path = Self.path(broadcast, "p_1-video-1.mkv")
        #expect(broadcast.recording.manifest.files.count == 1)
        #expect(try Self.events(broadcast.recording, "publisher_restarted").count == 1)
        #expect(try Playback.complaints(path) == "")
        let times = try Playback.packets(path).map(\.pts)
        #expect((135...136).contains(times.count))
        #expect(zip(times, times.dropFirst()).filter { $1 - $0 > 200 }.count == 1)
    }

    @Test func timestampsThatJumpAreSaidAndLoseNothing() throws {
        let scratch = try Scratch("recording")
        let broadcast = try Broadcast([Publisher(.video, try Clips.of(.vp8))], in: scratch.path)
        broadcast.run(until: 2 * Self.second)
        broadcast.publishers[0].base &+= 90_000_000
        broadcast.run(until: 4 * Self.second)
        #expect(broadcast.end())
        let jumps = try Self.events(broadcast.recording, "timestamps_jumped")
        #expect(jumps.count == 1 && abs((jumps.first?["by_ms"] as? Int ?? 0) + 1_000_000) < 100, "\(jumps)")
        let times = try Playback.packets(Self.path(broadcast, "p_1-video-1.mkv")).map(\.pts)
        #expect(times.count >= 118 && zip(times, times.dropFirst()).allSatisfy { (0...80).contains($1 - $0) })
    }

    /// Another codec, or other parameter sets of H.264, begin the next file.
    @Test func anotherCodecBeginsAnotherFile() throws {
        let scratch = try Scratch("recording")
        let broadcast = try Broadcast([Publisher(.video, try Clips.of(.vp8))], in: scratch.path)
        broadcast.run(until: Self.second)
        for (index, clip) in [try Clips.of(.h264), try Clips.smallH264.get()].enumerated() {
            broadcast.publishers[index].end = broadcast.now
            var next = Publisher(.video, clip)
            next.begin = broadcast.now
            next.packetizer.ssrc = 7
            next.packetizer.sequence = UInt16(20_000 * index)
            broadcast.publishers.append(next)
            broadcast.run(until: broadcast.now + Self.second)
        }
        #expect(broadcast.end())
        let files = broadcast.recording.manifest.files
        #expect(files.map(\.codec) == ["vp8", "h264", "h264"])
        for file in files {
            #expect(try Playback.complaints(Self.path(broadcast, file.file)) == "")
            #expect(try Playback.packets(Self.path(broadcast, file.file)).count == file.frames)
            #expect((28...31).contains(file.frames ?? 0), "\(file)")
        }
        #expect(try Self.events(broadcast.recording, "codec_changed").count == 1)
        let sizes = try Self.events(broadcast.recording, "picture_size").map { $0["width"] as? Int }
        #expect(sizes == [320, 160])
    }

    @Test func theLogAndTheManifestSayWhatHappened() throws {
        let scratch = try Scratch("recording")
        let broadcast = try Broadcast([Publisher(.audio, try Clips.of(.opus))], in: scratch.path)
        var joined = RecordingEvent(.joined, participantID: "p_1")
        joined.displayName = "Ada \"\n☕"
        broadcast.recording.log(joined, now: Broadcast.origin + 1_500_000)
        broadcast.run(until: Self.second)
        broadcast.recording.endSources(of: "p_1", now: Broadcast.origin + Self.second)
        broadcast.recording.log(RecordingEvent(.left, participantID: "p_1"), now: Broadcast.origin + Self.second)
        #expect(broadcast.end())
        let events = try Self.events(broadcast.recording)
        let kinds = ["began", "joined", "file_began", "file_ended", "left", "ended"]
        #expect(events.map { $0["event"] as? String } == kinds)
        #expect(events[1]["display_name"] as? String == "Ada \"\n☕")
        #expect(events[1]["at"] as? String == "2026-01-01T00:00:00.001Z")
        #expect(events[4]["ms"] as? Int == 1_000)
        let text = try Data(contentsOf: URL(fileURLWithPath: broadcast.recording.folder + "/recording.json"))
        let manifest = try JSONDecoder().decode(RecordingManifest.self, from: text)
        #expect(manifest == broadcast.recording.manifest && manifest.state == .complete)
        #expect(manifest.startedAt == "2026-01-01T00:00:00.000Z")
        #expect(manifest.participants.first?.displayName == joined.displayName)
        #expect(manifest.files.first?.frames == 49 || manifest.files.first?.frames == 50)
    }

    /// A sender that floods the log with restarts is counted, and no more.
    @Test func theLogOfASourceIsBounded() throws {
        let scratch = try Scratch("recording")
        let broadcast = try Broadcast([], in: scratch.path)
        let source = try #require(broadcast.recording.source(SourceName(participantID: "../../etc/x", kind: .audio)))
        var packetizer = Packetizer(.opus, ssrc: 0, sequence: 0)
        for index in 0..<2_000 {
            packetizer.ssrc = UInt32(index)
            packetizer.packet([1, 2, 3], timestamp: 0, marker: false).withUnsafeBytes { bytes in
                source.receive(RTPPacket(bytes)!, codec: .opus, arrival: Broadcast.origin + UInt64(index))
            }
        }
        #expect(broadcast.end())
        #expect(try Self.events(broadcast.recording).count < 40)
        #expect(broadcast.recording.manifest.files.map(\.file) == ["------etc-x-audio-1.mkv"])
    }

    /// What a decoder makes of files whose clocks drifted: sound and picture of one moment have one time.
    @Test func soundAndPictureAreDatedAlike() throws {
        let scratch = try Scratch("recording")
        var camera = Publisher(.video, try Clips.of(.vp8))
        camera.drift = 100
        var microphone = Publisher(.audio, try Clips.of(.opus), base: 12_345)
        microphone.drift = -100
        let broadcast = try Broadcast(
            [camera, microphone], Weather(loss: 0.01, jitter: 15_000_000), in: scratch.path, seed: 9)
        broadcast.run(until: 60 * Self.second)
        #expect(broadcast.end())
        let pictures = try Playback.packets(Self.path(broadcast, "p_1-video-1.mkv")).map(\.pts)
        let sounds = try Playback.packets(Self.path(broadcast, "p_1-audio-1.mkv")).map(\.pts)
        // The last of each was captured at a known moment, and nothing is missing.
        #expect((1_795...1_801).contains(pictures.count) && (2_995...3_001).contains(sounds.count))
        let gaps = try Self.events(broadcast.recording, "gap")
        #expect(gaps.isEmpty, "\(gaps)")
        let error = (pictures[1_500] - 50_000) - (sounds[2_500] - 50_000)
        #expect(abs(error) < 20, "\(error) ms")
    }
}
