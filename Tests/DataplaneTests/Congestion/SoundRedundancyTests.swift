import Testing

@testable import Dataplane

@Suite struct SoundRedundancyTests {
    private static let look: UInt64 = 200_000_000

    /// A receiver's path over time.
    private struct Path {
        var redundancy = SoundRedundancy()
        var count: UInt8 = 0
        var now: UInt64 = 1

        mutating func look(
            loss: Double, isCrowded: Bool = false, allowance: UInt64 = 3_000_000, sound: UInt64 = 40_000
        ) {
            now += SoundRedundancyTests.look
            count = redundancy.next(
                after: count, loss: loss, isCrowded: isCrowded, sound: sound, allowance: allowance, now: now)
        }

        /// So long that the loss is known.
        mutating func settle(loss: Double) {
            for _ in 0..<100 { look(loss: loss) }
        }
    }

    @Test func theMoreIsLostTheMoreIsRepeated() {
        for (loss, count) in [(0, 0), (0.014, 0), (0.016, 1), (0.039, 1), (0.041, 2), (1, 2)] as [(Double, UInt8)] {
            var path = Path()
            path.settle(loss: loss)
            #expect(path.count == count, "\(loss)")
        }
    }

    @Test func aTenthThatIsLostIsKnownWithinASecond() {
        var path = Path()
        for _ in 0..<2 { path.look(loss: 0.1) }
        #expect(path.count == 1)
        for _ in 0..<3 { path.look(loss: 0.1) }
        #expect(path.count == 2)
    }

    @Test func itEndsSomeSecondsAfterTheLoss() {
        var path = Path()
        path.settle(loss: 0.1)
        // Half of what began it keeps it.
        path.settle(loss: 0.021)
        #expect(path.count == 2)
        path.settle(loss: 0.01)
        #expect(path.count == 1)
        path.settle(loss: 0.001)
        #expect(path.count == 0)
        // It lasts for some seconds, and a new wave begins them anew.
        path.settle(loss: 0.1)
        for _ in 0..<25 { path.look(loss: 0) }
        #expect(path.count == 2)
        for _ in 0..<2 { path.look(loss: 0.3) }
        for _ in 0..<30 { path.look(loss: 0) }
        #expect(path.count == 2)
    }

    @Test func whatAFullQueueDropsIsNotRepeated() {
        var path = Path()
        for _ in 0..<20 { path.look(loss: 0.3, isCrowded: true) }
        for _ in 0..<9 { path.look(loss: 0.3) }
        #expect(path.count == 0)
        path.settle(loss: 0.1)
        #expect(path.count == 2)
    }

    @Test func soundThatHardlyFitsIsNotRepeated() {
        var path = Path()
        path.settle(loss: 0.2)
        #expect(path.count == 2)
        // At once, whatever is lost.
        path.look(loss: 0.2, allowance: 150_000)
        #expect(path.count == 1)
        path.look(loss: 0.2, allowance: 119_999)
        #expect(path.count == 0)
        path.look(loss: 0.2, allowance: 240_000)
        #expect(path.count == 2)
        path.look(loss: 0.2, sound: 0)
        #expect(path.count == 0)
    }
}
