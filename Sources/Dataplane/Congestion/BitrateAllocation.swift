/// Shares a Session's estimate among its tiles: everybody small first, then the more important ones better.
///
/// What is shown goes on while there is room for it; better things need some room beside them, and a pause after the last
/// time that they failed, so that an estimate near the cost of a step does not switch to and fro.
struct BitrateAllocation: BitwiseCopyable {
    /// What a Session's tiles cost, and what they would like.
    struct Outcome: BitwiseCopyable, Equatable {
        /// bits/s.
        var spent: UInt64 = 0
        /// With the next step of the most important tile that lacks one, and its room, bits/s; 0: there is none.
        var wish: UInt64 = 0
        /// Tiles that show nothing for want of room.
        var paused = 0
    }

    /// bits/s: for what was not shown before, and for what was.
    private struct Budget {
        var new: UInt64
        var kept: UInt64
        /// Nothing failed lately. Where there is plenty, it does not matter.
        var mayRaise: Bool
    }

    /// When a step was taken last, ns; and before when none is taken.
    private var raisedAt: UInt64 = 0
    private var pausedUntil: UInt64 = 0
    /// Failures in a row.
    private var failures: UInt8 = 0

    /// Grants steps.
    ///
    /// - Parameters:
    ///   - tiles: put in order of importance.
    ///   - budget: what there is for them, bits/s.
    ///   - kept: what may go on to be shown, bits/s; not less.
    mutating func share(
        _ tiles: UnsafeMutableBufferPointer<BitrateLadder>, budget: UInt64, kept: UInt64, now: UInt64
    ) -> Outcome {
        Self.sort(tiles)
        var outcome = Outcome()
        let budget = Budget(new: budget, kept: kept, mayRaise: now >= pausedUntil)
        // Everybody's first step, in order of importance.
        for place in tiles.indices {
            grant(&tiles[place], budget, &outcome)
        }
        var first = 0
        while first < tiles.count {
            var end = first &+ 1
            while end < tiles.count, tiles[end].isPeer(of: tiles[first]) { end &+= 1 }
            raise(tiles, first..<end, budget, &outcome)
            first = end
        }
        for tile in tiles where tile.granted == 0 && tile.count > 0 { outcome.paused &+= 1 }
        note(tiles, now: now)
        return outcome
    }

    /// Takes peers up together, one step each in turn.
    private func raise(
        _ tiles: UnsafeMutableBufferPointer<BitrateLadder>, _ peers: Range<Int>, _ budget: Budget,
        _ outcome: inout Outcome
    ) {
        var level: UInt8 = 1
        while level < BitrateLadder.mostSteps {
            var isRaised = false
            for place in peers where tiles[place].granted == level {
                let before = tiles[place].granted
                grant(&tiles[place], budget, &outcome)
                isRaised = isRaised || tiles[place].granted > before
            }
            guard isRaised else { return }
            level &+= 1
        }
    }

    /// One step more, if there is room.
    private func grant(_ tile: inout BitrateLadder, _ budget: Budget, _ outcome: inout Outcome) {
        guard let cost = tile.nextCost else { return }
        let total = outcome.spent &+ cost
        let needed = tile.nextIsNew ? total &+ (total &* CongestionConstants.stepRoom) >> 8 : total
        let isFirst = tile.isFresh && tile.granted == 0
        let mayRaise = budget.mayRaise || isFirst || needed &* 3 / 2 <= budget.new
        // What can be taken back at once is tried: the path shows by it what it carries, as small frames show nothing else.
        let isTried = budget.mayRaise && tile.nextIsReversible && total <= budget.kept
        let isBetter = isTried || needed <= budget.new && (mayRaise || tile.nextIsReversible)
        if tile.nextIsNew ? isBetter : total <= budget.kept {
            tile.grant()
            outcome.spent = total
        } else if outcome.wish == 0 {
            outcome.wish = needed
        }
    }

    private mutating func note(_ tiles: UnsafeMutableBufferPointer<BitrateLadder>, now: UInt64) {
        var (isLowered, isRaised) = (false, false)
        for tile in tiles {
            isLowered = isLowered || tile.isLowered
            isRaised = isRaised || tile.isRaised
        }
        let isOnProbation = raisedAt != 0 && now &- raisedAt < CongestionConstants.stepProbation
        if isLowered, isOnProbation {
            failures = min(failures &+ 1, CongestionConstants.mostStepDoublings &+ 1)
            pausedUntil = now &+ CongestionConstants.stepPause << UInt64(failures &- 1)
            raisedAt = 0
        } else if raisedAt != 0, !isOnProbation {
            failures = 0
            raisedAt = 0
        }
        if isRaised { raisedAt = max(now, 1) }
    }

    /// Stable, and quick where the order is that of the last time.
    private static func sort(_ tiles: UnsafeMutableBufferPointer<BitrateLadder>) {
        for place in 1..<max(tiles.count, 1) {
            let tile = tiles[place]
            var hole = place
            while hole > 0, tile.precedes(tiles[hole &- 1]) {
                tiles[hole] = tiles[hole &- 1]
                hole &-= 1
            }
            tiles[hole] = tile
        }
    }
}
