import Testing

@testable import Dataplane

@Suite struct Trains {
    /// Ten packets of 1000 bytes, sent and arriving so many us apart.
    private func train(sent: Int64, arriving: Int64, isProbe: Bool = false) -> TrainDispersion {
        var trains = TrainDispersion()
        for index in 0..<10 as Range<Int64> {
            trains.note(
                bits: 8_000, sent: index * sent * 1_000, arrival: index * arriving * 1_000, isProbe: isProbe, rate: 1e6)
        }
        trains.close()
        return trains
    }

    @Test func `a train that was spread shows the bottleneck, another one the rate at which it was sent`() {
        #expect(train(sent: 2_000, arriving: 4_000).rate(since: 0) == 2e6)
        #expect(train(sent: 2_000, arriving: 2_000).rate(since: 0) == 4e6)
        #expect(train(sent: 2_000, arriving: 10).rate(since: 0) == 4e6)
        #expect(train(sent: 2_000, arriving: 4_000).rate(since: 40_000_000) == 0)
    }

    @Test func `packets at the rate of the share are no train`() {
        #expect(train(sent: 8_000, arriving: 8_000).rate(since: 0) == 0)
    }

    @Test func `a train that goes on after a report counts only what is new`() {
        var trains = TrainDispersion()
        for index in 0..<10 as Range<Int64> {
            trains.note(
                bits: 8_000, sent: index * 2_000_000, arrival: index * 4_000_000, isProbe: false, rate: 1e6)
            if index == 4 { trains.close() }
        }
        trains.close()
        #expect(trains.rate(since: 0) == 2e6)
    }

    @Test func `a probe is told once, with the media between its packets`() {
        var probe = train(sent: 2_000, arriving: 4_000, isProbe: true)
        let told = [probe.takeProbed(), probe.takeProbed()]
        #expect(told == [2e6, 0] && probe.rate(since: 0) == 0)
        var mixed = TrainDispersion()
        for index in 0..<9 as Range<Int64> {
            mixed.note(
                bits: 8_000, sent: index * 2_000_000, arrival: index * 4_000_000, isProbe: index % 2 == 0, rate: 1e6)
        }
        let seen = mixed.takeProbed()
        #expect(seen == 2e6)
    }

    @Test func `times that run backwards end a train`() {
        var trains = TrainDispersion()
        for index in 0..<10 as Range<Int64> {
            trains.note(bits: 8_000, sent: index * 1_000, arrival: -index * 1_000_000, isProbe: false, rate: 1e6)
        }
        trains.close()
        #expect(trains.rate(since: .min) == 0)
    }
}
