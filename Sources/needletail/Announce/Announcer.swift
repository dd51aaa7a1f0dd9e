import Logging

/// Polls the node and keeps BIRD at the level that the policy gives.
struct Announcer: Sendable {
    let probe: OpsProbe
    let control: BirdControl
    let threshold: Double
    let logger: Logger
    /// Tells the service manager (sd_notify(3)); each poll is a sign of life.
    var notify: @Sendable (String) -> Void = { _ in }

    /// From one poll to the next. With the patience below and two misses, a node that stops to answer just after a
    /// poll is withdrawn within 2 seconds.
    static let interval: Duration = .milliseconds(500)
    static let patience: Duration = .milliseconds(700)
    /// BIRD answers in its own loop, which a full table may keep busy.
    static let birdPatience: Duration = .seconds(1)

    /// Runs until the task is cancelled.
    func run() async {
        var policy = AnnouncementPolicy(threshold: threshold)
        var said: (level: AnnouncementPolicy.Level?, failure: String?)
        var greeting = "READY=1\n"
        let clock = ContinuousClock()
        while !Task.isCancelled {
            let due = clock.now + Self.interval
            let probe = probe
            policy.take(await bounded(Self.patience, else: .silent) { await probe.poll() })
            // Said at every poll: a BIRD that was started again has the protocols off.
            let failure = await tell(policy.level)
            if said != (policy.level, failure) {
                if let failure {
                    logger.error("BIRD at \(control.socket) was not told: \(failure)")
                } else {
                    logger.notice("\(policy.level.rawValue)")
                }
                said = (policy.level, failure)
            }
            notify("\(greeting)WATCHDOG=1\nSTATUS=\(failure.map { "BIRD: \($0)" } ?? policy.level.rawValue)")
            greeting = ""
            try? await clock.sleep(until: due)
        }
    }

    /// Tells BIRD; why it did not take it, or nil.
    func tell(_ level: AnnouncementPolicy.Level) async -> String? {
        let control = control
        return await bounded(Self.birdPatience, else: "no answer in time") {
            do {
                try await control.apply(level)
                return nil
            } catch {
                return "\(error)"
            }
        }
    }
}

/// What `body` answers within `time`, else `fallback`; it is cancelled then.
func bounded<Answer: Sendable>(
    _ time: Duration, else fallback: Answer, _ body: @escaping @Sendable () async -> Answer
) async -> Answer {
    await withTaskGroup(of: Answer.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Task.sleep(for: time)
            return fallback
        }
        let first = await group.next() ?? fallback
        group.cancelAll()
        return first
    }
}
