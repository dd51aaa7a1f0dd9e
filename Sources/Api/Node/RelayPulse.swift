import Mailbox
import Meetings
import Synchronization

/// Whether the relay carries calls, of whatever meetings: an allocation is open, and something was relayed lately.
///
/// Those that nobody uses are not waited for: a browser that crashed leaves one behind for minutes.
final class RelayPulse: Sendable {
    /// ICE renews consent about every 5 s (RFC 7675 section 5.1): who was silent for three times that has no call.
    static let patience: Duration = .seconds(15)

    private struct Beat {
        var allocations: UInt64 = 0
        var packets: UInt64 = 0
        /// When `packets` last grew.
        var grew: Timestamp?
    }

    private let beat = Mutex(Beat())

    /// Once a second, by the ticker.
    func look(at workers: [WorkerReading], now: Timestamp) {
        func sum(_ counter: Counter) -> UInt64 { workers.reduce(0) { $0 &+ $1.counters[counter] } }
        let packets = sum(.relayedPacketsToPeer) &+ sum(.relayedPacketsToClient) &+ sum(.relayShortCircuit)
        beat.withLock { beat in
            if packets != beat.packets { beat.grew = now }
            beat.allocations = sum(.allocations)
            beat.packets = packets
        }
    }

    /// As of the last look.
    func isBusy(at now: Timestamp) -> Bool {
        beat.withLock { beat in
            guard beat.allocations > 0, let grew = beat.grew else { return false }
            return now - grew < Self.patience
        }
    }
}
