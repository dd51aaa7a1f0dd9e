import TestSupport
import Testing

@testable import Dataplane

@Suite struct BitrateAllocationTests {
    /// A tile with the layers of a camera: 180, 360 and 720 pixels.
    private static let camera: [UInt32] = [150_000, 500_000, 1_700_000]
    private static let second: UInt64 = 1_000_000_000

    /// A Session's tiles over time.
    private struct Wall {
        var allocation = BitrateAllocation()
        /// By slot: rank, height, rates.
        var tiles: [(rank: UInt8, height: UInt16, rates: [UInt32])]
        /// By slot: the name of what is shown, which is the number of the step.
        var shown: [UInt8?]
        var outcome = BitrateAllocation.Outcome()
        var changes = 0

        init(_ tiles: [(rank: UInt8, height: UInt16, rates: [UInt32])]) {
            self.tiles = tiles
            shown = tiles.map { _ in nil }
        }

        mutating func share(_ budget: UInt64, at now: UInt64) {
            let before = shown
            withUnsafeTemporaryAllocation(of: BitrateLadder.self, capacity: tiles.count) { room in
                for (slot, each) in tiles.enumerated() {
                    var tile = BitrateLadder(slot: UInt32(slot), rank: each.rank, height: each.height)
                    for (name, rate) in each.rates.enumerated() {
                        tile.add(UInt8(name), rate: rate, isShown: shown[slot] == UInt8(name))
                    }
                    room.initializeElement(at: slot, to: tile)
                }
                outcome = allocation.share(room, budget: budget, kept: budget, now: now)
                for tile in room { shown[Int(tile.slot)] = tile.choice }
            }
            if before != shown { changes += 1 }
        }

        /// bits/s.
        var cost: UInt64 {
            zip(tiles, shown).reduce(0) { sum, each in sum + (each.1.map { UInt64(each.0.rates[Int($0)]) } ?? 0) }
        }
    }

    @Test func everybodyIsSmallBeforeAnybodyIsLarge() {
        var wall = Wall([(2, 360, Self.camera), (1, 720, Self.camera), (2, 360, Self.camera)])
        for (budget, shown) in [
            (100_000, [nil, nil, nil]), (160_000, [nil, 0, nil]), (480_000, [0, 0, 0]), (900_000, [0, 1, 0]),
            (2_150_000, [0, 2, 0]), (2_500_000, [1, 2, 0]), (2_900_000, [1, 2, 1]), (6_000_000, [2, 2, 2]),
        ] as [(UInt64, [UInt8?])] {
            wall.allocation = BitrateAllocation()
            wall.share(budget, at: 1)
            #expect(wall.shown == shown, "\(budget)")
            #expect(wall.outcome.spent == wall.cost)
            #expect(wall.outcome.paused == shown.count { $0 == nil })
            #expect((wall.outcome.wish == 0) == (shown == [2, 2, 2]))
        }
    }

    @Test func aScreenComesFirstAndPeersGoUpTogether() {
        var wall = Wall([(1, 180, Self.camera), (1, 180, Self.camera), (0, 720, [300_000, 2_000_000])])
        wall.share(2_500_000, at: 1)
        #expect(wall.shown == [0, 0, 1])
        wall = Wall([(1, 180, Self.camera), (1, 180, Self.camera)])
        wall.share(1_100_000, at: 1)
        #expect(wall.shown == [1, 1])
        wall.share(2_200_000, at: 2)
        #expect(wall.shown == [1, 1] && wall.outcome.wish > 2_200_000)
    }

    @Test func nobodyTakesThePlaceOfAPeerThatIsShown() {
        var wall = Wall([(1, 180, Self.camera), (1, 180, Self.camera)])
        wall.shown = [nil, 0]
        wall.share(200_000, at: 1)
        #expect(wall.shown == [nil, 0])
        wall.shown = [0, 1]
        wall.share(700_000, at: 20 * Self.second)
        #expect(wall.shown == [0, 1])
    }

    @Test func aStepThatCostsNoMoreIsTaken() {
        var wall = Wall([(0, 720, [900_000, 500_000, 500_000, 1_700_000])])
        wall.share(600_000, at: 1)
        #expect(wall.shown == [2])
        // What is shown is gone: the best of what is left.
        wall = Wall([(0, 720, Self.camera)])
        wall.share(2_000_000, at: 1)
        wall.tiles[0].rates = [150_000, 500_000]
        wall.share(2_000_000, at: 2)
        #expect(wall.shown == [1])
    }

    @Test func whatIsShownStaysWhereItWouldNotBegin() {
        var wall = Wall([(0, 720, Self.camera)])
        wall.share(1_710_000, at: 1)
        #expect(wall.shown == [1] && wall.outcome.wish > 1_710_000)
        wall.share(wall.outcome.wish, at: 2)
        #expect(wall.shown == [2])
        wall.share(1_700_000, at: 3)
        #expect(wall.shown == [2])
        wall.share(1_699_999, at: 4)
        #expect(wall.shown == [1])
    }

    /// Around the cost of a step by a tenth, ten times a second for a minute.
    @Test func anEstimateThatSwingsMakesNoneFlap() {
        var wall = Wall([(0, 720, Self.camera)])
        for turn in 0..<600 {
            wall.share(turn.isMultiple(of: 7) ? 1_550_000 : 1_900_000, at: UInt64(turn) * Self.second / 10 + 1)
        }
        // Pauses of 1, 2, 4, 8 and 16 s: the first step and seven tries.
        #expect(wall.changes <= 15, "\(wall.changes)")
        // Room that stays is taken.
        for turn in 600..<900 { wall.share(1_900_000, at: UInt64(turn) * Self.second / 10) }
        #expect(wall.shown == [2])
    }

    /// Random walls, rates and estimates.
    @Test(arguments: UInt64(1)...40) func theSumIsWithinTheEstimate(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var wall = Wall(
            (0..<Int.random(in: 1...49, using: &random)).map { _ in
                let base = UInt32.random(in: 30_000...300_000, using: &random)
                let steps = (0..<Int.random(in: 0...9, using: &random)).map { base * UInt32(1 + $0 * $0) }
                return (
                    UInt8.random(in: 0...3, using: &random), [90, 180, 360, 720].randomElement(using: &random)!, steps
                )
            })
        var now: UInt64 = 1
        for _ in 0..<300 {
            now += UInt64.random(in: 1...Self.second, using: &random)
            let budget = UInt64.random(in: 0...20_000_000, using: &random)
            for slot in wall.tiles.indices where Int.random(in: 0..<20, using: &random) == 0 {
                if !wall.tiles[slot].rates.isEmpty, Bool.random(using: &random) {
                    wall.tiles[slot].rates.removeLast()
                    if let name = wall.shown[slot], Int(name) >= wall.tiles[slot].rates.count { wall.shown[slot] = nil }
                }
            }
            wall.share(budget, at: now)
            #expect(wall.cost <= budget && wall.outcome.spent == wall.cost)
            // A tile shows nothing only where its first step has no room, or may not be tried yet.
            if wall.outcome.paused > 0 { #expect(wall.outcome.wish > 0) }
        }
    }
}
