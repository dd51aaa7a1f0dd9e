import Foundation
import Testing

@testable import Mailbox

struct DoorbellTests {
    /// Whether the bell is heard in so many milliseconds.
    private func hears(_ bell: Doorbell, within milliseconds: Int32 = 0) -> Bool {
        var handle = pollfd(fd: bell.handle, events: Int16(POLLIN), revents: 0)
        return poll(&handle, 1, milliseconds) == 1
    }

    @Test func itRingsOnlyForWhoWaits() {
        let bell = Doorbell()
        defer { bell.deallocate() }
        bell.ring()
        #expect(!hears(bell))
        bell.await()
        bell.ring()
        bell.ring()
        #expect(hears(bell))
        bell.answer(wasRung: true)
        bell.ring()
        #expect(!hears(bell))
        bell.await()
        bell.answer(wasRung: false)
        bell.ring()
        #expect(!hears(bell))
    }

    @Test func aSilentOneDoesNothing() {
        let bell = Doorbell.silent
        bell.await()
        bell.ring()
        bell.answer(wasRung: false)
        #expect(bell.handle == -1)
        bell.deallocate()
    }

    /// Each element is pushed when the consumer may just be about to wait: a lost wake-up would let it wait for ever.
    @Test func noWakeUpIsLost() {
        let ring = Ring<Int>(capacity: 2)
        let bell = Doorbell()
        let taken = Doorbell()
        defer {
            ring.deallocate()
            bell.deallocate()
            taken.deallocate()
        }
        let count = 50_000
        let producer = Thread {
            for value in 0..<count {
                while !ring.push(value) {
                    taken.await()
                    if ring.count == ring.capacity, !self.hears(taken, within: 10_000) { return }
                    taken.answer(wasRung: self.hears(taken))
                }
                bell.ring()
            }
        }
        producer.start()
        var next = 0
        while next < count {
            if let value = ring.pop() {
                next = value + 1
                taken.ring()
                continue
            }
            bell.await()
            if ring.count == 0, !hears(bell, within: 10_000) {
                Issue.record("nothing rang for \(next)")
                return
            }
            bell.answer(wasRung: hears(bell))
        }
    }
}
