/// What was wrong with feedback, for the metrics.
public struct FeedbackCounters: Sendable, BitwiseCopyable {
    /// Of numbers that were never sent, or too long ago.
    public internal(set) var unknown: UInt64 = 0
    /// Of numbers of which it had spoken before.
    public internal(set) var repeated: UInt64 = 0
    /// With an arrival before that of the number before.
    public internal(set) var backward: UInt64 = 0
}
