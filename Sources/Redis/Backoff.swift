/// How long to wait before the next attempt: doubled each time, and spread, so that PoPs do not all come at once.
struct Backoff {
    var first: Duration = .milliseconds(100)
    var limit: Duration = .seconds(3)
    private var failures = 0

    init() {}

    /// Between half of the step and all of it.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let step = min(limit, first * (1 << min(failures, 16)))
        failures += 1
        return step * Double.random(in: 0.5...1, using: &generator)
    }

    mutating func reset() { failures = 0 }
}
