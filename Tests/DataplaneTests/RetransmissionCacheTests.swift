import Testing

@testable import Dataplane

@Suite struct RetransmissionCaches {
    @Test func `packets before a jump and late repairs are given up too`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let entries = UnsafeMutablePointer<RetransmissionCache.Entry>.allocate(capacity: RetransmissionCache.depth)
        entries.initialize(repeating: .init(mark: 0, packet: nil), count: RetransmissionCache.depth)
        defer { entries.deallocate() }
        var cache = RetransmissionCache(entries: entries)
        func insert(_ sequence: UInt64) throws {
            let packet = try PortFixture.mbuf([0], from: pool)
            packet.record.initialize(
                to: PacketRecord(
                    sequence: sequence, arrival: sequence, timestamp: 0, payloadOffset: 0, payloadLength: 1,
                    marker: false, startsKeyframe: false))
            #expect(cache.insert(sequence, packet) == nil)
        }
        for sequence: UInt64 in 100..<110 { try insert(sequence) }
        // A jump, in other places of the cache; the sweep goes on behind it and has passed 5,013 when that comes in.
        for sequence: UInt64 in [5_010, 5_011, 5_012, 5_014] { try insert(sequence) }
        while let packet = cache.expire(before: 5_015, upTo: 5_015) { packet.free() }
        try insert(5_013)
        #expect(cache.expire(before: 9_999, upTo: 5_015) == nil)
        #expect(pool.count - pool.available == 11)
        var found = 0
        for _ in 0..<RetransmissionCache.depth {
            guard let packet = cache.expireStraggler(before: 5_013) else { continue }
            packet.free()
            found += 1
        }
        // 5,013 came in at the deadline, not before it.
        #expect(found == 10 && cache.find(5_013) != nil)
        var cursor = 0
        while let packet = cache.removeAny(from: &cursor) { packet.free() }
        #expect(pool.available == pool.count)
    }
}
