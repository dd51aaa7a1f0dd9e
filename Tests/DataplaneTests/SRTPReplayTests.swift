import TestSupport
import Testing

@testable import Dataplane

@Suite struct SRTPReplayTests {
    @Test func `a window accepts each index once, and none that is too old`() {
        var random = SplitMix(seed: 128)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var highest: UInt64 = 0
        var base: UInt64 = 1000
        for _ in 0..<20_000 {
            // Mostly near the front, sometimes a jump of any size around the window's.
            base += UInt64.random(in: 0...3, using: &random)
            if Int.random(in: 0..<50, using: &random) == 0 { base += UInt64.random(in: 60...260, using: &random) }
            let index = base - UInt64.random(in: 0...160, using: &random)
            let isTooOld = !seen.isEmpty && index + ReplayWindow.width <= highest
            let expected = !isTooOld && !seen.contains(index)
            #expect(window.check(index) == expected)
            if expected {
                window.accept(index)
                seen.insert(index)
                highest = max(highest, index)
            }
        }
        #expect(seen.count > 5000)
    }

    @Test func `a window takes index 0 first, and the oldest and youngest of its width`() {
        var window = ReplayWindow()
        #expect(window.check(0))
        window.accept(0)
        #expect(!window.check(0))
        window.accept(127)
        #expect(!window.check(0) && window.check(1) && window.check(64))
        window.accept(128)
        #expect(!window.check(0) && window.check(1))
        window.accept(129)
        #expect(!window.check(1) && window.check(2))
        window.accept(0x7FFF_FFFF_FFFF)
        #expect(!window.check(129) && window.check(0x7FFF_FFFF_FFFF - 127))
    }

    @Test func `accepting a too old index changes nothing`() {
        var window = ReplayWindow()
        window.accept(1000)
        window.accept(1000 - 128)
        #expect((873...999).allSatisfy { window.check($0) })
    }

    @Test func `the estimate is the index nearest to the highest one`() {
        var random = SplitMix(seed: 3711)
        for _ in 0..<5000 {
            let highest = UInt64.random(in: 0x8001...0xFFFF_0000_0000, using: &random)
            var counter = RolloverCounter()
            counter.accept(highest)
            let offset = Int64.random(in: -0x7FFF...0x7FFF, using: &random)
            let index = UInt64(Int64(highest) + offset)
            #expect(counter.estimate(sequence: UInt16(index & 0xFFFF)) == index)
        }
    }

    @Test func `there is no round before the first one`() {
        var counter = RolloverCounter()
        counter.accept(5)
        #expect(counter.estimate(sequence: 65_530) == 65_530)
        #expect(counter.estimate(sequence: 3) == 3)
    }

    @Test func `late packets of the last round keep their index after a wrap`() {
        var counter = RolloverCounter()
        #expect(counter.estimate(sequence: 65_534) == 65_534)
        counter.accept(65_534)
        #expect(counter.estimate(sequence: 1) == 0x1_0001)
        counter.accept(0x1_0001)
        #expect(counter.estimate(sequence: 65_535) == 65_535)
        counter.accept(65_535)
        #expect(counter.estimate(sequence: 2) == 0x1_0002)
    }
}
