import Foundation
import Testing

@testable import Mailbox

struct RingTests {
    @Test func elementsComeOutInOrderAndAFullRingRefuses() {
        let ring = Ring<Int>(capacity: 4)
        defer { ring.deallocate() }
        for round in 0..<10 {
            for value in 0..<4 { #expect(ring.push(round * 4 + value)) }
            #expect(!ring.push(99))
            #expect(ring.count == 4)
            for value in 0..<4 { #expect(ring.pop() == round * 4 + value) }
            #expect(ring.pop() == nil)
        }
    }

    @Test func whatIsStagedIsSeenAtCommitAndNotBefore() {
        let ring = Ring<Int>(capacity: 8)
        defer { ring.deallocate() }
        #expect(ring.stage(1))
        #expect(ring.stage(2))
        #expect(ring.pop() == nil)
        ring.commit()
        #expect(ring.pop() == 1)
        #expect(ring.stage(3))
        ring.abandon()
        #expect(ring.stage(4))
        ring.commit()
        #expect(ring.pop() == 2)
        #expect(ring.pop() == 4)
        #expect(ring.pop() == nil)
    }

    @Test func twoThreadsLoseNothing() {
        let ring = Ring<Int>(capacity: 64)
        defer { ring.deallocate() }
        let count = 200_000
        let producer = Thread {
            var value = 0
            while value < count { if ring.push(value) { value += 1 } else { sched_yield() } }
        }
        producer.start()
        var next = 0
        while next < count {
            guard let value = ring.pop() else {
                sched_yield()
                continue
            }
            if value != next {
                Issue.record("\(value) came where \(next) was due")
                return
            }
            next += 1
        }
        #expect(ring.pop() == nil)
    }
}
