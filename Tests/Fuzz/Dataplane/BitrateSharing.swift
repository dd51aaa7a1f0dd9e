@testable import Dataplane

/// How a Session's estimate is shared among its tiles, with any tiles and estimates: the sum is what is shown, it
/// stays within what there is, and who shows nothing is counted and asked for.
///
/// First the tiles: how many, and of each its rank, height, number of steps and which of them can be taken back at once, and the
/// first one's rate. Then looks: what the time moves on by, and the estimate; some take a tile's steps away.
func fuzzBitrateSharing(_ input: UnsafeRawBufferPointer) {
    var script = SharingScript(input: input[...])
    while !script.isAtEnd { script.look() }
}

private struct SharingScript {
    private struct Tile {
        var rank: UInt8
        var height: UInt16
        var rates: [UInt32]
        /// A bit for each step that can be taken back at once.
        var reversible: UInt16
        /// The name of what is shown, which is the number of the step.
        var shown: UInt8?
    }

    private var input: Slice<UnsafeRawBufferPointer>
    private var allocation = BitrateAllocation()
    private var tiles: [Tile] = []
    private var now: UInt64 = 1

    init(input: Slice<UnsafeRawBufferPointer>) {
        self.input = input
        for _ in 0..<Int(take(1) % 50) {
            let what = take(2)
            let base = UInt32(take(2) + 1)
            tiles.append(
                Tile(
                    rank: UInt8(what & 3), height: UInt16(what >> 2 & 3) * 180,
                    rates: (0..<UInt32(what >> 4 & 15)).map { base &* ($0 &* $0 &+ 1) },
                    reversible: UInt16(what >> 8) &* 0x101))
        }
    }

    var isAtEnd: Bool { input.isEmpty }

    private mutating func take(_ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<count { value = value << 8 | UInt64(input.popFirst() ?? 0) }
        return value
    }

    mutating func look() {
        let what = take(1)
        now += (what >> 1) * 20_000_000 + 1
        if what & 1 != 0, !tiles.isEmpty {
            let place = Int(take(1)) % tiles.count
            _ = tiles[place].rates.popLast()
            if let shown = tiles[place].shown, Int(shown) >= tiles[place].rates.count { tiles[place].shown = nil }
        }
        let budget = take(3)
        let kept = budget + budget / 4
        let outcome = share(budget: budget, kept: kept)
        check(outcome, kept: kept)
    }

    private mutating func share(budget: UInt64, kept: UInt64) -> BitrateAllocation.Outcome {
        withUnsafeTemporaryAllocation(of: BitrateLadder.self, capacity: tiles.count) { room in
            for (slot, tile) in tiles.enumerated() {
                var ladder = BitrateLadder(slot: UInt32(slot), rank: tile.rank, height: tile.height)
                for (name, rate) in tile.rates.enumerated() {
                    ladder.add(
                        UInt8(name), rate: rate, isShown: tile.shown == UInt8(name),
                        isReversible: tile.reversible >> UInt16(name) & 1 != 0)
                }
                room.initializeElement(at: slot, to: ladder)
            }
            let outcome = allocation.share(room, budget: budget, kept: kept, now: now)
            for ladder in room { tiles[Int(ladder.slot)].shown = ladder.choice }
            return outcome
        }
    }

    private func check(_ outcome: BitrateAllocation.Outcome, kept: UInt64) {
        let cost = tiles.reduce(0 as UInt64) { sum, tile in sum + (tile.shown.map { UInt64(tile.rates[Int($0)]) } ?? 0)
        }
        precondition(outcome.spent == cost)
        precondition(cost <= kept)
        precondition(outcome.paused == tiles.count { $0.shown == nil && !$0.rates.isEmpty })
        precondition(outcome.paused == 0 || outcome.wish > 0)
    }
}
