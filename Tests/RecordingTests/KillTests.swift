import Foundation
import Glibc
import RecordingFixture
import Synchronization
import TestSupport
import Testing

@testable import Recording

@Suite(.timeLimit(.minutes(5))) struct RecordingKills {
    /// `NEEDLETAIL_RECORDING_KILLS=100` for more.
    private static let count =
        ProcessInfo.processInfo.environment["NEEDLETAIL_RECORDING_KILLS"].flatMap { Int($0) } ?? 12
    /// At once.
    private static let width = 6

    /// Beside the tests.
    private static let writer = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("RecordingWriter").path

    /// Writes in real time, and is killed at any moment: each file plays, up to a second before.
    @Test func aKillCostsASecond() throws {
        let clips = [try Clips.of(.vp8).path, try Clips.of(.opus).path]
        let worst = Mutex(0)
        var left = Self.count
        while left > 0 {
            let batch = min(Self.width, left)
            left -= batch
            let failures = Mutex<[any Error]>([])
            DispatchQueue.concurrentPerform(iterations: batch) { _ in
                do {
                    let cost = try Self.cost(clips)
                    worst.withLock { $0 = max($0, cost) }
                } catch {
                    failures.withLock { $0.append(error) }
                }
            }
            for error in failures.withLock({ $0 }) { Issue.record(error) }
        }
        print("a kill cost \(worst.withLock { $0 }) ms at most, of \(Self.count)")
        #expect(worst.withLock { $0 } <= 1_000)
    }

    private struct Broken: Error {
        let reason: String
    }

    /// How much of what came in is not in a file after a kill, ms, at most.
    private static func cost(_ clips: [String]) throws -> Int {
        let scratch = try Scratch("recording")
        let program = try ChildProgram(writer, [scratch.path] + clips)
        // In lines: 80 a second come in.
        let wanted = Int.random(in: 20...400)
        var said: [UInt8] = []
        var lines = 0
        while lines < wanted, case let more = program.read(), !more.isEmpty {
            said += more
            lines += more.count { $0 == 0x0a }
        }
        let ending = program.kill()
        while case let more = program.read(), !more.isEmpty { said += more }
        guard ending == .killed(signal: SIGKILL) else { throw Broken(reason: "the writer ended by itself: \(ending)") }
        var last: [Substring: Int] = [:]
        let text = String(decoding: said, as: UTF8.self)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let parts = line.split(separator: " ")
            if parts.count == 2 { last[parts[0]] = Int(parts[1]) }
        }
        let folder = try FileManager.default.contentsOfDirectory(atPath: scratch.path).first ?? ""
        return try last.map { source, moment in
            let path = "\(scratch.path)/\(folder)/p_1-\(source)-1.mkv"
            // A kill within the first second leaves what it leaves.
            if moment < 1_000 { return moment }
            let packets = try Playback.packets(path)
            let interval = source == "video" ? 33 : 20
            // Nothing is missing before the end.
            let holes = zip(packets, packets.dropFirst()).filter { $1.pts - $0.pts > 3 * interval }
            guard holes.isEmpty else { throw Broken(reason: "\(source): \(holes)") }
            return moment - (packets.last?.pts ?? 0)
        }.max() ?? 0
    }
}
