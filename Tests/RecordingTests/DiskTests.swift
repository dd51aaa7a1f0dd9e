import Foundation
import RecordingFixture
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Recording

/// A disk that can be full.
private final class FullDisk: Sendable {
    private let isFull = Mutex(false)

    func fill() { isFull.withLock { $0 = true } }
    func empty() { isFull.withLock { $0 = false } }

    var calls: DiskCalls {
        var calls = DiskCalls()
        let write = calls.write
        calls.write = { [self] descriptor, bytes, offset in
            // It fills in the middle of a write.
            if isFull.withLock({ $0 }) {
                guard bytes.count > 100 else {
                    errno = ENOSPC
                    return -1
                }
                return write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 100)]), offset)
            }
            return write(descriptor, bytes, offset)
        }
        return calls
    }
}

@Suite(.timeLimit(.minutes(2))) struct DiskTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func aDiskThatFillsLosesNothingOnceThereIsRoom() throws {
        let scratch = try Scratch("recording")
        let full = FullDisk()
        let disk = RecordingDisk(calls: full.calls)
        defer { disk.stop() }
        var camera = Publisher(.video, try Clips.of(.vp8))
        camera.end = 4 * Self.second - 1_000_000
        let broadcast = try Broadcast([camera], in: scratch.path, disk: disk)
        broadcast.run(until: Self.second)
        #expect(disk.drain())
        full.fill()
        broadcast.run(until: 3 * Self.second)
        #expect(!disk.drain(patience: 0.2))
        #expect(disk.trouble?.code == ENOSPC)
        broadcast.recording.advance(now: Broadcast.origin + 3 * Self.second)
        full.empty()
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        let path = broadcast.recording.folder + "/p_1-video-1.mkv"
        #expect(try Playback.complaints(path) == "")
        #expect(try Playback.pictures(path) == Playback.pictures(camera.clip.path))
        let log = try String(contentsOfFile: broadcast.recording.folder + "/events.jsonl", encoding: .utf8)
        #expect(log.contains("\"event\":\"disk_failed\"") && log.contains("No space left on device"))
    }

    /// More than may wait is left out, frame by frame and said so, and the file goes on with a keyframe.
    @Test func aDiskThatStaysFullLosesWholeFramesAndSaysSo() throws {
        let scratch = try Scratch("recording")
        let full = FullDisk()
        let disk = RecordingDisk(calls: full.calls)
        defer { disk.stop() }
        let broadcast = try Broadcast([Publisher(.video, try Clips.of(.vp8))], in: scratch.path, disk: disk)
        broadcast.run(until: Self.second)
        #expect(disk.drain())
        full.fill()
        // As much as all may have waiting.
        let filler = DiskFile(path: scratch.path + "/filler")
        disk.write([UInt8](repeating: 0, count: RecordingDisk.capacity), to: filler, at: 0)
        broadcast.run(until: 3 * Self.second)
        #expect(!disk.hasRoom)
        full.empty()
        #expect(disk.drain())
        broadcast.run(until: 5 * Self.second)
        #expect(broadcast.end())
        let path = broadcast.recording.folder + "/p_1-video-1.mkv"
        #expect(try Playback.complaints(path) == "")
        let times = try Playback.packets(path).map(\.pts)
        #expect((times.last ?? 0) > 4_900 && zip(times, times.dropFirst()).contains { $1 - $0 > 1_900 })
        let log = try String(contentsOfFile: broadcast.recording.folder + "/events.jsonl", encoding: .utf8)
        #expect(log.contains("too much waits for it"))
    }

    @Test func aFileIsReplacedWhole() throws {
        let scratch = try Scratch("recording")
        let disk = RecordingDisk()
        defer { disk.stop() }
        let path = scratch.path + "/recording.json"
        disk.replace(path, with: Array("a long text".utf8))
        disk.replace(path, with: Array("short".utf8))
        #expect(disk.drain())
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "short")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["recording.json"])
    }

    /// A disk that takes its time to sync holds nothing back: what is written is in the file meanwhile.
    @Test func whatIsWrittenDoesNotWaitForASync() throws {
        let scratch = try Scratch("recording")
        let (begun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        var calls = DiskCalls()
        calls.sync = { _ in
            begun.signal()
            mayEnd.wait()
            return 0
        }
        let written = DispatchSemaphore(value: 0)
        let write = calls.write
        calls.write = { descriptor, bytes, offset in
            defer { written.signal() }
            return write(descriptor, bytes, offset)
        }
        let disk = RecordingDisk(calls: calls)
        let file = DiskFile(path: scratch.path + "/file")
        disk.write([1], to: file, at: 0)
        #expect(begun.wait(timeout: .now() + 5) == .success)
        #expect(written.wait(timeout: .now() + 5) == .success)
        disk.write([2], to: file, at: 1)
        #expect(written.wait(timeout: .now() + 5) == .success)
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: file.path))) == [1, 2])
        #expect(!disk.drain(patience: 0.05))
        for _ in 0..<10 { mayEnd.signal() }
        #expect(disk.drain())
        disk.stop()
    }

    /// What was written is brought to the disk itself without being asked for.
    @Test func whatIsWrittenIsSynced() throws {
        let scratch = try Scratch("recording")
        let synced = DispatchSemaphore(value: 0)
        var calls = DiskCalls()
        let sync = calls.sync
        calls.sync = { descriptor in
            defer { synced.signal() }
            return sync(descriptor)
        }
        let disk = RecordingDisk(calls: calls)
        defer { disk.stop() }
        let file = DiskFile(path: scratch.path + "/file")
        for index in 0..<3 {
            disk.write([1], to: file, at: index)
            #expect(synced.wait(timeout: .now() + 5) == .success)
        }
    }
}
