import Mailbox
import Synchronization

/// How busy each worker was between the last two looks at its counters.
///
/// The ticker looks once a second, whoever scrapes and however often: the figures do not depend on it.
final class WorkerLoad: Sendable {
    struct Figures: Equatable {
        /// 0 to 1, without the time in which the system ran something else on the core.
        var busyRatio: Double
        /// TSC cycles in turns that did work, per received packet.
        var cyclesPerPacket: Double
    }

    private struct Sample {
        var busy: UInt64 = 0
        var running: UInt64 = 0
        var total: UInt64 = 0
        var packets: UInt64 = 0
    }

    private struct Track {
        var last: [Int: Sample] = [:]
        var figures: [Int: Figures] = [:]
    }

    private let track = Mutex(Track())

    func look(at workers: [WorkerReading]) {
        var now: [Int: Sample] = [:]
        for reading in workers {
            now[reading.worker] = Sample(
                busy: reading.counters[.busyCycles], running: reading.counters[.runningCycles],
                total: reading.counters[.totalCycles], packets: reading.counters[.receivedPackets])
        }
        track.withLock { track in
            for (worker, sample) in now {
                track.figures[worker] = Self.figures(from: track.last[worker] ?? Sample(), to: sample)
            }
            track.last = now
        }
    }

    func figures(of worker: Int) -> Figures {
        track.withLock { $0.figures[worker] } ?? Figures(busyRatio: 0, cyclesPerPacket: 0)
    }

    private static func figures(from old: Sample, to new: Sample) -> Figures {
        // The words are read one by one while the worker writes: a step back reads as nothing.
        func step(_ old: UInt64, _ new: UInt64) -> Double { new > old ? Double(new - old) : 0 }
        // While the system gives the core to somebody else, a turn with one packet in it lasts long and costs nothing.
        let busy = min(step(old.busy, new.busy), step(old.running, new.running))
        let total = step(old.total, new.total)
        let packets = step(old.packets, new.packets)
        return Figures(
            busyRatio: total > 0 ? min(1, busy / total) : 0, cyclesPerPacket: packets > 0 ? busy / packets : 0)
    }
}
