import Mailbox
import Meetings
import Synchronization

/// Packets and bits a second over all workers, between the ticker's last two looks.
final class TrafficMeter: Sendable {
    /// Rates in one direction.
    struct Rate: Sendable, Equatable {
        var packets = 0.0
        var bits = 0.0
    }

    /// Rates in both directions.
    struct Figures: Sendable, Equatable {
        var receive = Rate()
        var transmit = Rate()
    }

    private struct Sample {
        var packets: (receive: UInt64, transmit: UInt64) = (0, 0)
        var bytes: (receive: UInt64, transmit: UInt64) = (0, 0)
        var at: Timestamp
    }

    private struct Inside {
        var last: Sample?
        var figures = Figures()
    }

    private let inside = Mutex(Inside())

    var figures: Figures { inside.withLock { $0.figures } }

    func look(at workers: [WorkerReading], now: Timestamp) {
        func sum(_ counter: Counter) -> UInt64 { workers.reduce(0) { $0 &+ $1.counters[counter] } }
        let sample = Sample(
            packets: (sum(.receivedPackets), sum(.transmittedPackets)),
            bytes: (sum(.receivedBytes), sum(.transmittedBytes)), at: now)
        inside.withLock { inside in
            defer { inside.last = sample }
            guard let last = inside.last, last.at < now else { return }
            let seconds = sample.at.seconds - last.at.seconds
            func rate(_ old: UInt64, _ new: UInt64) -> Double { new > old ? Double(new - old) / seconds : 0 }
            inside.figures = Figures(
                receive: Rate(
                    packets: rate(last.packets.receive, sample.packets.receive),
                    bits: 8 * rate(last.bytes.receive, sample.bytes.receive)),
                transmit: Rate(
                    packets: rate(last.packets.transmit, sample.packets.transmit),
                    bits: 8 * rate(last.bytes.transmit, sample.bytes.transmit)))
        }
    }
}
