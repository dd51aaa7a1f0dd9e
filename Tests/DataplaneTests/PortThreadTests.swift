import CDPDK
import Synchronization
import Testing

@testable import Dataplane

@Suite("A worker's thread")
struct PortThreadTests {
    private final class Seen: Sendable {
        let cores = Mutex<[Int]>([])
        let lcore = Atomic<UInt32>(.max)
    }

    @Test("runs on its core alone, registered with EAL")
    func pinning() throws {
        try PortFixture.startEAL()
        let core = try #require(PinnedThread.allowedCores.last)
        let seen = Seen()
        let thread = try PinnedThread(name: "a name longer than fifteen", core: core) {
            seen.cores.withLock { $0 = PinnedThread.allowedCores }
            seen.lcore.store(rte_lcore_id(), ordering: .relaxed)
        }
        thread.join()
        #expect(seen.cores.withLock { $0 } == [core])
        #expect(seen.lcore.load(ordering: .relaxed) < UInt32(RTE_MAX_LCORE))
    }

    @Test("leaves its maker's cores alone")
    func affinity() throws {
        try PortFixture.startEAL()
        let before = PinnedThread.allowedCores
        let thread = try PinnedThread(name: "pinned", core: before.first) {}
        thread.join()
        #expect(PinnedThread.allowedCores == before)
    }

    @Test("refuses a core that is not there, and says which are", arguments: [-1, 1_023, 100_000])
    func missingCore(core: Int) throws {
        let failure = #expect(throws: PortFailure.self) { try PinnedThread(name: "x", core: core) {} }
        #expect(try #require(failure).description.contains("core \(core) is not to be had"))
    }

    @Test("gets buffers from a cache of its own and gives all back")
    func poolCache() throws {
        let pool = try PortFixture.pool(count: 8_191)
        let thread = try PinnedThread(name: "cache", core: nil) {
            let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 32)
            for _ in 0..<1_000 where pool.allocate(into: burst, count: 32) { burst.freeAll(32) }
            burst.deallocate()
        }
        thread.join()
        #expect(pool.available == 8_191)
        pool.deallocate()
    }

    @Test("idles by polling, then pausing, then sleeping longer and longer, until there is work")
    func idle() {
        var policy = IdlePolicy(pauseAfter: 2, sleepAfter: 4, shortestSleep: 10, longestSleep: 50)
        let steps = (0..<9).map { _ in policy.step(rest: 1_000_000) }
        #expect(
            steps == [.poll, .poll, .pause, .pause]
                + [10, 20, 40, 50, 50].map { IdlePolicy.Step.sleep(microseconds: $0) })
        policy.reset()
        #expect(result(of: policy.step(rest: 1_000_000)) == .poll)
    }

    @Test("does not idle while something waits, and sleeps no longer than until the next round")
    func rest() {
        var policy = IdlePolicy(pauseAfter: 0, sleepAfter: 0, shortestSleep: 10, longestSleep: 200)
        for _ in 0..<100 { #expect(result(of: policy.step(rest: 0)) == .poll) }
        #expect(result(of: policy.step(rest: 9_999)) == .pause)
        #expect(result(of: policy.step(rest: 1_000_000)) == .sleep(microseconds: 10))
        #expect(result(of: policy.step(rest: 15_900)) == .sleep(microseconds: 15))
        #expect(result(of: policy.step(rest: 1_000_000)) == .sleep(microseconds: 40))
    }

    @Test("never sleeps when it is to poll")
    func poll() {
        var policy = IdlePolicy.poll
        #expect(!result(of: policy.sleeps))
        for _ in 0..<100_000 { #expect(result(of: policy.step(rest: 1_000_000)) == .poll) }
    }

    @Test("counts cycles as nanoseconds, for years without overflow")
    func clock() {
        let clock = CycleClock(origin: 0, frequency: 2_600_000_000)
        #expect(clock.nanoseconds(2_600) == 999)
        let year: UInt64 = 365 * 86_400
        let nanoseconds = clock.nanoseconds(year * 2_600_000_000)
        // The scale has 32 bits behind the point.
        let error = year * 1_000_000_000 - nanoseconds
        #expect(error < year)
        #expect(clock.cycles(ofNanoseconds: 1_000) == 2_600)
        #expect(clock.cycles(ofNanoseconds: year * 1_000_000_000) == year * 2_600_000_000)
    }

    @Test("keeps the time of the system's clock")
    func systemTime() {
        let clock = CycleClock()
        func read() -> (before: UInt64, time: ContinuousClock.Instant, after: UInt64) {
            let before = clock.now()
            let time = ContinuousClock.now
            return (before, time, clock.now())
        }
        let first = read()
        while ContinuousClock.now - first.time < .milliseconds(300) {}
        let last = read()
        let elapsed = (last.time - first.time) / .nanoseconds(1)
        // The system's clock may itself be slewed by 500 millionths.
        #expect(elapsed > Double(last.before - first.after) * (1 - 500e-6))
        #expect(elapsed < Double(last.after - first.before) * (1 + 500e-6))
    }

    @Test("reads a clock that never goes back")
    func monotonic() throws {
        try PortFixture.startEAL()
        let clock = CycleClock()
        var last = clock.now()
        for _ in 0..<10_000 {
            let now = clock.now()
            #expect(now >= last)
            last = now
        }
    }
}
