/// When the worker's periodic work is due: commands, replies, timers and counters.
struct HousekeepingSchedule: BitwiseCopyable {
    /// Between two rounds, ns.
    static let interval: UInt64 = 1_000_000
    /// How much later a round may be where nothing but frames and control's bell wants the worker, ns.
    static let patience: UInt64 = 4_000_000
    /// Rounds after which every Session and Track had its turn.
    static let slices = 20
    /// What one round takes of each, so that control cannot stall media.
    static let commandsPerRound = 64
    static let repliesPerRound = 64

    var due: UInt64 = 0
    var round = 0
    /// When the next slice has its turn: each `interval`, and several in one round when rounds were late.
    var sliceDue: UInt64 = 0
}
