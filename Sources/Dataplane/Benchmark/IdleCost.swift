import CDPDK
import Glibc
import Synchronization

/// Work for benchmarks: a worker that has next to nothing to do, with the loop of `WorkerThread`.
extension LatencyCost {
    /// The share of its core that the worker takes when nothing comes in for so many milliseconds; the caller sleeps.
    public func idleShare(_ policy: IdlePolicy, milliseconds: UInt64, core: Int) throws(PortFailure) -> Double {
        let share = Measure()
        let (start, origin) = (room.pointee.now, clock.cycles())
        _ = try BenchmarkThreads.run(on: [core]) { _ in
            let before = Self.processorTime
            let end = self.clock.now() &+ milliseconds &* 1_000_000
            self.loop(policy, start: start, origin: origin) { self.clock.now() >= end }
            share.value = Double(Self.processorTime &- before) / Double(milliseconds &* 1_000_000)
        }
        room.pointee.now = start &+ clock.nanoseconds(clock.cycles() &- origin)
        return share.value
    }

    /// A window of few packets with so many milliseconds between them, for each of which the worker has to wake up.
    public func firstPackets(
        _ policy: IdlePolicy, count: Int, milliseconds: UInt64, cores: [Int]
    ) throws(PortFailure) -> Window {
        try fill(count)
        let queue = room.pointee.worker.pointee.queue
        queue.histogram.update(repeating: 0, count: PacedQueue.steps)
        let (start, origin) = (room.pointee.now, clock.cycles())
        let isDone = Flag()
        let spans = try BenchmarkThreads.run(on: cores) { index in
            guard index > 0 else {
                return self.loop(policy, start: start, origin: origin) { isDone.value.load(ordering: .relaxed) }
            }
            for place in 0...count {
                let due = self.clock.now() &+ milliseconds &* 1_000_000
                while self.clock.now() < due { cpu_pause() }
                if place < count { self.put(place) }
            }
            isDone.value.store(true, ordering: .relaxed)
        }
        room.pointee.forgetEvents()
        room.pointee.now = start &+ clock.nanoseconds(clock.cycles() &- origin)
        return Window(cycles: spans[0].ended &- spans[0].began, interruptions: spans[1].interruptions)
    }

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    private final class Measure: @unchecked Sendable {
        var value = 0.0
    }

    /// As `WorkerThread`'s.
    private func loop(_ policy: IdlePolicy, start: UInt64, origin: UInt64, until isDone: () -> Bool) {
        var idle = policy
        let worker = room.pointee.worker
        while !isDone() {
            let now = start &+ clock.nanoseconds(clock.cycles() &- origin)
            if worker.pointee.turn(now: now) > 0 {
                idle.reset()
            } else {
                idle.endTurn(rest: worker.pointee.rest(now: now))
            }
        }
    }

    /// What this thread used, ns; `RUSAGE_THREAD` is 1 in Linux.
    private static var processorTime: UInt64 {
        var usage = rusage()
        getrusage(1, &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return UInt64(seconds * 1_000_000 + Int(microseconds)) * 1_000
    }
}
