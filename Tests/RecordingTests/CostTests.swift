import Foundation
import Glibc
import RecordingFixture
import TestSupport
import Testing
import Wire

@testable import Recording

/// What capturing costs.
@Suite(.timeLimit(.minutes(2))) struct CaptureCost {
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A camera of 720p30 with sound, from packets in memory into files, for a minute: of one core.
    @Test func aCameraWithSound() throws {
        let scratch = try Scratch("recording")
        let seconds = 60
        let packets = try Self.packets(seconds)
        let disk = RecordingDisk()
        defer { disk.stop() }
        let recording = try MeetingRecording(
            meeting: "m_1", in: scratch.path, disk: disk, warn: { _ in }, now: 0, utc: Broadcast.utc)
        let camera = try #require(recording.source(SourceName(participantID: "p_1", kind: .video)))
        let microphone = try #require(recording.source(SourceName(participantID: "p_1", kind: .audio)))
        let begin = Self.processorTime()
        var turn: UInt64 = 0
        for (due, isVideo, bytes) in packets {
            while turn <= due {
                recording.advance(now: turn)
                _ = camera.feedback(now: turn, roundTrip: 0)
                turn += 20_000_000
            }
            bytes.withUnsafeBytes { raw in
                guard let packet = RTPPacket(raw) else { return }
                (isVideo ? camera : microphone).receive(packet, codec: isVideo ? .vp8 : .opus, arrival: due)
            }
        }
        recording.end(now: UInt64(seconds) * 1_000_000_000)
        #expect(disk.drain(patience: 60))
        let cost = (Self.processorTime() - begin) / Double(seconds)
        let bits = packets.reduce(0) { $0 + $1.bytes.count * 8 } / seconds
        print(
            "capture of 720p30 with sound: \(String(format: "%.3f", cost * 100))% of a core, "
                + "\(packets.count / seconds) packets and \(bits / 1_000) kbit a second")
        #expect(recording.manifest.files.map { $0.frames ?? 0 }.sorted() == [seconds * 30, seconds * 50])
        #if DEBUG
            #expect(cost < 0.2)
        #else
            #expect(cost < 0.01)
        #endif
    }

    private static func packets(_ seconds: Int) throws -> [(due: UInt64, isVideo: Bool, bytes: [UInt8])] {
        var packets: [(due: UInt64, isVideo: Bool, bytes: [UInt8])] = []
        for clip in [try Clips.hd.get(), try Clips.of(.opus)] {
            var packetizer = Packetizer(clip.codec, ssrc: UInt32(clip.codec.rawValue), sequence: 0)
            let count = seconds * (clip.codec == .opus ? 50 : 30)
            for index in 0..<count {
                let due = UInt64(index) * clip.interval
                let timestamp = UInt32(UInt64(index) * (clip.codec == .opus ? 960 : 3_000))
                for bytes in packetizer.packets(clip.frames[index % clip.frames.count], timestamp: timestamp) {
                    packets.append((due, clip.codec != .opus, bytes))
                }
            }
        }
        return packets.sorted { $0.due < $1.due }
    }
}
