import Testing

@testable import Dataplane

@Suite struct ProbeSchedules {
    private let second: UInt64 = 1_000_000_000

    private func next(
        _ probes: inout ProbeSchedule, target: Double, isBlind: Bool, now: UInt64
    ) throws -> ProbeCluster {
        let probe = probes.next(target: target, isBlind: isBlind, now: now)
        return try #require(probe)
    }

    /// After the probe at the start.
    private func started() throws -> ProbeSchedule {
        var probes = ProbeSchedule(now: second)
        let first = try next(&probes, target: 300_000, isBlind: false, now: second)
        #expect(first.packets == 5 && first.rate == 6_000_000 && first.interval == 320_000)
        return probes
    }

    @Test func `a probe that comes through is followed by a faster one, up to what is wanted`() throws {
        var probes = try started()
        probes.want(20e6, target: 300_000, now: second)
        probes.note(seen: 6e6, now: second)
        let faster = try next(&probes, target: 5.4e6, isBlind: false, now: second)
        #expect(faster.rate == 16_200_000)
        probes.note(seen: 16e6, now: second)
        let third = try next(&probes, target: 14.4e6, isBlind: false, now: second)
        #expect(third.rate == 30_000_000)
        probes.note(seen: 20e6, now: second)
        #expect(probes.next(target: 18e6, isBlind: false, now: second) == nil)
        #expect(probes.count == 3)
    }

    @Test func `only who knows nothing else probes, and ever more seldom`() throws {
        var probes = try started()
        probes.want(5e6, target: 300_000, now: second)
        probes.note(seen: 1e6, now: second)
        #expect(probes.next(target: 1e6, isBlind: false, now: 100 * second) == nil)
        #expect(probes.next(target: 5e6, isBlind: true, now: 100 * second) == nil)
        var times: [UInt64] = []
        for tenth in 1_000..<1_400 as Range<UInt64> {
            let now = tenth * second / 10
            guard probes.next(target: 1e6, isBlind: true, now: now) != nil else { continue }
            times.append(tenth)
            probes.note(seen: 1e6, now: now)
        }
        #expect(times.count >= 4 && times.count <= 8)
        #expect(zip(times.dropFirst(), times).map { $0 - $1 }.last == 80)
    }

    @Test func `more than before is probed for at once`() throws {
        var probes = try started()
        probes.want(0.3e6, target: 1e6, now: second)
        probes.note(seen: 1e6, now: second)
        #expect(probes.next(target: 1e6, isBlind: true, now: 20 * second) == nil)
        probes.want(2.5e6, target: 1e6, now: 20 * second)
        let probe = try next(&probes, target: 1e6, isBlind: true, now: 20 * second)
        #expect(probe.rate == 3_000_000 && probe.packets >= 4)
    }

    @Test func `what is no longer wanted is not probed for`() throws {
        var probes = try started()
        probes.want(20e6, target: 300_000, now: second)
        probes.note(seen: 6e6, now: second)
        probes.want(0, target: 5.4e6, now: second)
        #expect(probes.next(target: 5.4e6, isBlind: true, now: 20 * second) == nil)
    }

    @Test func `a small rate is probed with small packets`() throws {
        var probes = try started()
        probes.want(1e6, target: 50_000, now: second)
        probes.note(seen: 50_000, now: second)
        let probe = try next(&probes, target: 50_000, isBlind: true, now: 50 * second)
        #expect(probe.packetBytes * probe.packets <= 600)
    }
}
