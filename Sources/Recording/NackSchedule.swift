/// Which missing packets of one stream are to be asked for again, and when (RFC 4585 section 6.2.1).
struct NackSchedule {
    /// A packet that comes later than the one behind it by less than this is only out of order, ns.
    static let allowance: UInt64 = 10_000_000
    /// Between two questions for the same packet at least, ns; else one round trip and a half.
    static let shortest: UInt64 = 30_000_000
    /// Questions for one packet.
    static let mostAsks = 8
    /// Packets; what is missing beside them is not asked for.
    static let capacity = 256

    private struct Missing {
        var sequence: UInt64
        var due: UInt64
        var asks = 0
    }

    /// In the order in which they were noticed.
    private var missing: [Missing] = []

    /// When `take` has something to say; nil when nothing is missing.
    var due: UInt64? { missing.lazy.map(\.due).min() }

    /// These are missing too.
    mutating func note(_ range: Range<UInt64>, now: UInt64) {
        for sequence in range.suffix(max(Self.capacity - missing.count, 0)) {
            missing.append(Missing(sequence: sequence, due: now &+ Self.allowance))
        }
    }

    mutating func noteArrival(_ sequence: UInt64) {
        guard !missing.isEmpty else { return }
        missing.removeAll { $0.sequence == sequence }
    }

    /// What stands before `turn` came, or is waited for no longer.
    mutating func forget(before turn: UInt64) {
        guard !missing.isEmpty else { return }
        missing.removeAll { $0.sequence < turn }
    }

    mutating func clear() { missing.removeAll() }

    /// The numbers to ask for now, in ascending order.
    ///
    /// - Parameter roundTrip: to whom is asked, ns; 0 when it is not known.
    mutating func take(now: UInt64, roundTrip: UInt64) -> [UInt16] {
        var asked: [UInt64] = []
        for index in missing.indices where missing[index].due <= now {
            asked.append(missing[index].sequence)
            missing[index].asks += 1
            missing[index].due = now &+ max(Self.shortest, roundTrip &+ roundTrip / 2)
        }
        missing.removeAll { $0.asks >= Self.mostAsks }
        return asked.sorted().map { UInt16(truncatingIfNeeded: $0) }
    }
}
