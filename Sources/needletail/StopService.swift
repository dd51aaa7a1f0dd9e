import Api
import Logging
import ServiceLifecycle
import UnixSignals

/// SIGTERM: the first empties the node and then ends it, the second ends it at once.
struct StopService: Service {
    let drain: Drain
    /// How long the first waits for those inside.
    let patience: Duration
    let logger: Logger

    /// Returns when the node is to stop.
    func run() async {
        let signals = await UnixSignalsSequence(trapping: .sigterm)
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await hear(signals) }
                group.addTask { await drain.stopped() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Returns at the second signal.
    private func hear(_ signals: UnixSignalsSequence) async {
        var count = 0
        for await _ in signals {
            count += 1
            guard count == 1 else { return logger.notice("second SIGTERM: stopping now") }
            drain.begin(for: patience, stops: true, at: SystemClock().now)
        }
    }
}
