import Testing

@testable import Dataplane

@Suite struct AcknowledgedRates {
    @Test func `the rate is that of the span that was asked for`() {
        var rate = AcknowledgedRate()
        #expect(rate.rate(over: 1) == 0)
        for index in 0..<40 as Range<Int64> {
            rate.note(bits: index < 30 ? 50_000 : 100_000, end: index * 50_000_000)
        }
        #expect(rate.rate(over: 90_000_000) == 2e6)
        #expect(rate.rate(over: 500_000_000) == 2e6)
        #expect(rate.rate(over: 1_000_000_000) < 2e6)
    }

    @Test func `a pause is not taken for slowness`() {
        var rate = AcknowledgedRate()
        for index in 0..<10 as Range<Int64> { rate.note(bits: 50_000, end: index * 50_000_000) }
        rate.note(bits: 50_000, end: 20_000_000_000)
        #expect(rate.rate(over: 350_000_000) == 0)
        rate.note(bits: 50_000, end: 20_050_000_000)
        #expect(rate.rate(over: 350_000_000) == 1e6)
    }

    @Test func `arrivals without order make no rate`() {
        var rate = AcknowledgedRate()
        for end: Int64 in [.max, .min, 0, -1, .max, .max] {
            rate.note(bits: 1e6, end: end)
            #expect(rate.rate(over: 350_000_000).isFinite && rate.rate(over: 350_000_000) >= 0)
        }
    }
}
