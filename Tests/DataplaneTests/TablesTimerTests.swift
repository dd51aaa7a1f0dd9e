import Testing

@testable import Dataplane

@Suite("A TimerWheel")
struct TablesTimerTests {
    @Test("fires what a sorted list fires, when it does", arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithList(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let capacity = 200
        // Few spokes, so that deadlines lie several turns ahead.
        var wheel = TimerWheel(capacity: capacity, spokes: 16, tick: 1_000, now: 5_000)
        var model: [Int: UInt64] = [:]
        var now: UInt64 = 5_000
        let due = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
        defer { due.deallocate() }
        for _ in 0..<20_000 {
            let entity = Int(random.next() % UInt64(capacity))
            switch random.next() % 8 {
            case 0...3:
                // Some lie in the past.
                let deadline = now &+ random.next() % 60_000 &- random.next() % 5_000
                wheel.schedule(entity, at: deadline)
                model[entity] = deadline
            case 4:
                wheel.cancel(entity)
                model[entity] = nil
            default:
                now += random.next() % (random.next() % 20 == 0 ? 100_000 : 700)
                let count = wheel.advance(to: now, into: due, limit: capacity)
                let fired = (0..<count).map { Int(due[$0]) }.sorted()
                #expect(fired == model.filter { $0.value <= now }.map(\.key).sorted())
                for entity in fired { model[entity] = nil }
            }
            #expect(result(of: wheel.count) == model.count)
            #expect(result(of: wheel.deadline(of: entity)) == model[entity])
        }
    }

    @Test("goes on where a full batch stopped")
    func batches() {
        var wheel = TimerWheel(capacity: 100, spokes: 8, tick: 10)
        for entity in 0..<100 { wheel.schedule(entity, at: UInt64(entity)) }
        let due = UnsafeMutablePointer<UInt32>.allocate(capacity: 7)
        defer { due.deallocate() }
        var fired: [Int] = []
        var batches = 0
        while true {
            let count = wheel.advance(to: 1_000, into: due, limit: 7)
            if count == 0 { break }
            #expect(count <= 7)
            fired += (0..<count).map { Int(due[$0]) }
            batches += 1
        }
        #expect(fired.sorted() == Array(0..<100))
        #expect(batches == 15)
    }

    @Test("is exact within a tick")
    func exactness() {
        var wheel = TimerWheel(capacity: 1, spokes: 8, tick: 1_000)
        let due = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        defer { due.deallocate() }
        wheel.schedule(0, at: 1_500)
        #expect(result(of: wheel.advance(to: 1_499, into: due, limit: 1)) == 0)
        #expect(result(of: wheel.advance(to: 1_500, into: due, limit: 1)) == 1)
        #expect(!result(of: wheel.isScheduled(0)))
    }
}
