import Testing

@testable import Mailbox

@Suite struct DistributionTests {
    @Test func everyDurationFallsIntoTheClassOfItsBound() {
        let bounds = Distribution.forward.bounds
        for (place, bound) in bounds.enumerated() {
            #expect(Distribution.forwardClass(bound) == place)
            #expect(Distribution.forwardClass(bound - 1) == place)
            #expect(Distribution.forwardClass(bound + 1) == place + 1)
        }
        #expect(Distribution.forwardClass(0) == 0)
        #expect(Distribution.forwardClass(.max - 9) == bounds.count)
    }

    @Test func everyBurstFallsIntoTheClassOfItsBound() {
        let bounds = Distribution.burst.bounds
        for packets in 1...32 {
            #expect(Distribution.burstClass(packets) == bounds.firstIndex { UInt64(packets) <= $0 })
        }
        #expect(Distribution.burstClass(33) == bounds.count)
        #expect(Distribution.burstClass(.max) == bounds.count)
    }

    @Test func everyLookAtAPathFallsIntoTheClassOfItsBound() {
        #expect(Distribution.pathLoss.bounds == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000])
        #expect(Distribution.pathEstimate.bounds.first == 10 && Distribution.pathEstimate.bounds.last == 100_000)
        let bounds = Distribution.pathEstimate.bounds
        for (place, bound) in bounds.enumerated() {
            for (value, expected) in [(bound, place), (bound + 1, place + 1)] {
                #expect(Distribution.stepClass(value, from: 10, count: bounds.count) == expected)
            }
        }
        let shared = Counters()
        defer { shared.deallocate() }
        let local = LocalCounters()
        local.notePath(estimate: 1_500, queue: 0, roundTrip: 30, loss: 1_000)
        local.notePath(estimate: 1_500_000, queue: 2_000, roundTrip: 30, loss: 15)
        local.publish(to: shared)
        #expect(shared[Distribution.pathEstimate].counts == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1])
        #expect(shared[Distribution.pathQueue].counts == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(shared[Distribution.pathRoundTrip].counts == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0])
        #expect(shared[Distribution.pathLoss].counts == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
        #expect(shared[Distribution.pathLoss].sum == 1_015)
        #expect(shared[Distribution.burst].counts.allSatisfy { $0 == 0 })
    }

    @Test(arguments: Distribution.allCases) func theBoundsAreAsManyAsAreCounted(distribution: Distribution) {
        #expect(distribution.bounds.count == distribution.boundCount)
    }

    @Test func controlReadsWhatWasPublished() {
        let shared = Counters()
        defer { shared.deallocate() }
        let local = LocalCounters()
        local.noteForward(nanoseconds: 1_500, packets: 4)
        local.noteForward(nanoseconds: 90_000_000, packets: 1)
        local.noteBurst(1)
        local.noteBurst(32)
        local.drop(.eventFull)
        #expect(shared[.forward].counts.allSatisfy { $0 == 0 })
        local.publish(to: shared)
        let forward = shared[Distribution.forward]
        #expect(forward.counts == [0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(forward.sum == 90_006_000)
        #expect(forward.counts.count == forward.bounds.count + 1)
        #expect(shared[Distribution.burst].counts == [1, 0, 0, 0, 0, 1, 0])
        #expect(shared[Distribution.burst].sum == 33)
        #expect(shared[DropReason.eventFull] == 1 && shared[.transmittedBytes] == 0)
    }
}
