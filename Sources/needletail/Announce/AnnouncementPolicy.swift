/// Decides from what the node answers whether its addresses are announced. A value: time comes as polls.
struct AnnouncementPolicy {
    /// How the addresses are announced.
    enum Level: String, Sendable, Equatable {
        case withdrawn
        /// Less preferred than by other PoPs: this one has much to do.
        case reserve
        case preferred
    }

    /// What one poll found.
    enum Poll: Sendable, Equatable {
        /// `/readyz` answered 200. The load is the share that is taken until the node refuses newcomers, 0 to 1; nil when it
        /// did not say.
        case ready(load: Double?)
        /// It answered something else: not ready, or draining.
        case refused
        /// No answer in time: dead, hanging, or cut off.
        case silent
    }

    /// Good polls in a row before anything is announced: a node that comes and goes draws calls that it drops.
    static let rise = 4
    /// Polls without an answer before the addresses are withdrawn; a refusal is believed at once.
    static let fall = 2
    /// How far the load must fall below the threshold before the node is preferred again.
    static let hysteresis = 0.1

    /// The load above which other PoPs are preferred.
    let threshold: Double
    private(set) var level = Level.withdrawn
    private var good = 0
    private var missed = 0
    private var isLoaded = false

    init(threshold: Double) { self.threshold = threshold }

    /// Takes a poll's outcome; `level` is what holds from now on.
    mutating func take(_ poll: Poll) {
        switch poll {
        case .ready(let load):
            good = min(good + 1, Self.rise)
            missed = 0
            if let load { isLoaded = load > (isLoaded ? threshold - Self.hysteresis : threshold) }
            if level != .withdrawn || good >= Self.rise { level = isLoaded ? .reserve : .preferred }
        case .refused:
            withdraw()
        case .silent:
            good = 0
            missed += 1
            if missed >= Self.fall { withdraw() }
        }
    }

    private mutating func withdraw() {
        good = 0
        missed = 0
        level = .withdrawn
    }
}
