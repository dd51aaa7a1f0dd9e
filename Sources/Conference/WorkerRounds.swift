import Dispatch
import Mailbox

/// When control looks at what the workers told: when one of them rings, and each `interval`.
package struct WorkerRounds: Sendable {
    private let bells: [Doorbell]
    private let interval: Duration

    /// `interval`: how long timers, and what clients ask for, may wait.
    init(_ bells: [Doorbell], interval: Duration) {
        self.bells = bells
        // Without bells only looking finds anything.
        self.interval = bells.allSatisfy { $0.handle >= 0 } ? interval : min(interval, .milliseconds(2))
    }

    /// Takes rounds until the task is cancelled. `look` looks at everything; `hasNews` says whether something has come since.
    func run(
        isolation: isolated (any Actor)? = #isolation, hasNews: () async -> Bool, look: () async -> Void
    ) async {
        let (rounds, round) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let sources = watch { round.yield() }
        round.yield()
        for await _ in rounds {
            repeat {
                await look()
                // What comes from here on rings; what came before is news.
                for bell in bells { bell.await() }
            } while await hasNews()
        }
        for source in sources {
            // The bells' handles may be closed once their sources have ended.
            await withCheckedContinuation { ended in
                source.setCancelHandler { ended.resume() }
                source.cancel()
            }
        }
    }

    private func watch(_ body: @escaping @Sendable () -> Void) -> [any DispatchSourceProtocol] {
        let queue = DispatchQueue.global()
        let timer = DispatchSource.makeTimerSource(queue: queue)
        let nanoseconds = DispatchTimeInterval.nanoseconds(Int(interval.components.attoseconds / 1_000_000_000))
        timer.schedule(deadline: .now() + nanoseconds, repeating: nanoseconds, leeway: .milliseconds(1))
        timer.setEventHandler(handler: body)
        timer.resume()
        return [timer]
            + bells.filter { $0.handle >= 0 }.map { bell in
                let source = DispatchSource.makeReadSource(fileDescriptor: bell.handle, queue: queue)
                source.setEventHandler {
                    bell.answer(wasRung: true)
                    body()
                }
                source.resume()
                return source
            }
    }
}
