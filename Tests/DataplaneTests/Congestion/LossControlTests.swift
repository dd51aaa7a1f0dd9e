import Testing

@testable import Dataplane

@Suite struct LossControls {
    /// Half seconds of 100 packets with so many lost; whether each says to slow down.
    private func judge(_ losses: [Int]) -> [Bool] {
        var control = LossControl()
        return losses.enumerated().map { index, lost in
            control.note(received: 100 - lost, lost: lost, now: UInt64(index + 1) * 500_000_000)
        }
    }

    @Test func `a tenth of random loss changes nothing`() {
        #expect(judge(Array(repeating: 10, count: 20)) == Array(repeating: false, count: 20))
    }

    @Test func `loss that falls with the rate is a limiter's`() {
        #expect(judge([0, 0, 50, 30, 0]) == [false, false, true, true, false])
    }

    @Test func `loss that slowing down does not change is the path's`() {
        #expect(judge([30, 30, 30, 30, 30]) == [true, false, false, false, false])
    }

    @Test func `few packets say nothing`() {
        var control = LossControl()
        for index in 1...10 as ClosedRange<UInt64> {
            let isLimited = control.note(received: 0, lost: 1, now: index * 500_000_000)
            #expect(!isLimited)
        }
    }
}
