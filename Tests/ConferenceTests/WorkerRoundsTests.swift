import Mailbox
import Synchronization
import Testing

@testable import Conference

/// Control's looks at its workers.
struct WorkerRoundsTests {
    /// Counts looks, each at what waits in a ring.
    private func rounds(_ bells: [Doorbell], interval: Duration, over ring: Ring<Int>) -> (
        Task<Void, Never>, AsyncStream<Int>
    ) {
        let (looks, looked) = AsyncStream<Int>.makeStream()
        let task = Task {
            await WorkerRounds(bells, interval: interval).run(
                hasNews: { ring.count > 0 },
                look: {
                    var taken = 0
                    while ring.pop() != nil { taken += 1 }
                    looked.yield(taken)
                })
            looked.finish()
        }
        return (task, looks)
    }

    @Test(.timeLimit(.minutes(1))) func aRingIsHeardAtOnce() async {
        let ring = Ring<Int>(capacity: 64)
        let bells = [Doorbell(), Doorbell()]
        let (task, looks) = rounds(bells, interval: .seconds(3_600), over: ring)
        var taken = 0
        var pushed = 0
        for await count in looks {
            taken += count
            // When all was found there is the next thing, which only its bell tells of.
            guard taken == pushed else { continue }
            if taken == 20 { break }
            pushed += 1
            let hasRoom = ring.push(pushed)
            #expect(hasRoom)
            bells[pushed % 2].ring()
        }
        task.cancel()
        await task.value
        for bell in bells { bell.deallocate() }
        ring.deallocate()
    }

    @Test(.timeLimit(.minutes(1))) func withoutBellsItLooksByItself() async {
        let ring = Ring<Int>(capacity: 64)
        let (task, looks) = rounds([.silent], interval: .seconds(3_600), over: ring)
        var count = 0
        for await _ in looks {
            count += 1
            if count == 3 { break }
        }
        task.cancel()
        await task.value
        ring.deallocate()
    }
}
