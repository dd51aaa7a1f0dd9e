import Mailbox
import TestSupport
import Testing
import Wire

@testable import Dataplane

/// A device whose ring has little room.
private struct NarrowQueue: PortQueue {
    var room: Int
    var taken: [Int] = []

    init(room: Int) { self.room = room }

    var hasReceive: Bool { false }
    var hasTransmit: Bool { true }
    var offload: ChecksumOffload { ChecksumOffload() }
    var transmitBurst: Int { 64 }

    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int { 0 }

    mutating func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        let fits = min(count, room)
        for index in 0..<fits {
            taken.append(Int(packets[index].data.load(as: UInt16.self)))
            packets[index].free()
        }
        room -= fits
        return fits
    }
}

/// A device that refuses frames of a kind for ever, and takes nothing behind them, or nothing at all.
private struct PickyQueue: PortQueue {
    var refused: Set<UInt16> = []
    var isStuck = false
    var isLinkUp = true
    var taken: [UInt16] = []

    var hasReceive: Bool { false }
    var hasTransmit: Bool { true }
    var offload: ChecksumOffload { ChecksumOffload() }
    var transmitBurst: Int { 64 }

    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int { 0 }

    mutating func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        for index in 0..<count {
            let number = packets[index].data.load(as: UInt16.self)
            guard !isStuck, !refused.contains(number) else { return index }
            taken.append(number)
            packets[index].free()
        }
        return count
    }
}

@Suite struct Outboxes {
    /// Adds frames numbered from `first` on.
    private func add(
        _ count: Int, _ priority: FramePriority, first: Int, to outbox: inout Outbox, from pool: BufferPool
    ) throws {
        for number in first..<(first + count) {
            let frame = try PortFixture.mbuf([UInt8(number & 0xff), UInt8(number >> 8)], from: pool)
            outbox.add(frame, priority: priority)
        }
    }

    @Test func `what a full ring does not take goes first the next time, in its order`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = NarrowQueue(room: 5)
        try add(20, .camera, first: 0, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 0)
        let held = outbox.heldCount
        #expect(held == 15)
        try add(3, .audio, first: 20, to: &outbox, from: pool)
        queue.room = 100
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(queue.taken == Array(0..<23))
        let isEmpty = outbox.isEmpty
        #expect(isEmpty)
        #expect(counters[.transmittedPackets] == 23 && counters[.transmittedBytes] == 46)
        #expect(pool.available == pool.count)
    }

    @Test func `a ring that stays full costs the lowest video first, and sound before nothing but control`() throws {
        let pool = try PortFixture.pool(count: 2_047)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = NarrowQueue(room: 0)
        let priorities: [FramePriority] = [.audio, .upperLayer, .control, .camera, .screen]
        for (place, priority) in priorities.enumerated() {
            try add(100, priority, first: 100 * place, to: &outbox, from: pool)
        }
        // 500 wait, 256 may: all 100 of upper layers go, all of cameras, and the latest 44 of screens.
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(counters[.transmitFullUpperLayer] == 100 && counters[.transmitFullCamera] == 100)
        #expect(counters[.transmitFullScreen] == 44)
        #expect(counters[.transmitFullAudio] == 0 && counters[.transmitFull] == 0)
        // The next 100 of sound take the place of what is left of screens, and then of the latest sound.
        try add(100, .audio, first: 500, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(counters[.transmitFullScreen] == 100 && counters[.transmitFullAudio] == 44)
        #expect(counters[.transmitFull] == 0)
        queue.room = 1_000
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(queue.taken == Array(200..<300) + Array(0..<100) + Array(500..<556))
        #expect(pool.available == pool.count)
    }

    @Test func `control traffic does not wait behind media`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = NarrowQueue(room: 10)
        try add(100, .camera, first: 0, to: &outbox, from: pool)
        try add(3, .control, first: 100, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 0)
        queue.room = 3
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(queue.taken == Array(0..<10) + Array(100..<103))
        queue.room = 100
        outbox.transmit(&queue, counters: counters, now: 0)
        #expect(queue.taken.suffix(90) == Array(10..<100))
        #expect(pool.available == pool.count)
    }

    @Test func `a frame that the device refuses for good is given up, and those behind it leave`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = PickyQueue(refused: [3, 4])
        try add(10, .control, first: 0, to: &outbox, from: pool)
        var now: UInt64 = 1_000_000_000
        for _ in 0..<30 {
            outbox.transmit(&queue, counters: counters, now: now)
            now += 1_000_000
        }
        #expect(queue.taken == [0, 1, 2, 5, 6, 7, 8, 9])
        #expect(counters[.transmitRefused] == 2)
        let (isEmpty, stall) = (outbox.isEmpty, outbox.stall)
        #expect(isEmpty && stall.duration(now: now) == 0, "the frames were at fault")
        #expect(pool.available == pool.count)
    }

    @Test func `a device that takes nothing is told from frames that it does not like`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = PickyQueue(isStuck: true)
        var now: UInt64 = 5_000_000_000
        for number in 0..<200 {
            try add(1, .camera, first: number, to: &outbox, from: pool)
            outbox.transmit(&queue, counters: counters, now: now)
            now += 10_000_000
        }
        let stall = outbox.stall
        #expect(stall.duration(now: now) == 2_000_000_000)
        queue.isStuck = false
        outbox.transmit(&queue, counters: counters, now: now)
        let (isEmpty, ended) = (outbox.isEmpty, outbox.stall)
        #expect(isEmpty && ended.duration(now: now) == 0)
        #expect(queue.taken.count + Int(counters[.transmitRefused]) == 200)
    }

    @Test func `what waits while the link is down is dropped, and not played back`() throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let counters = LocalCounters()
        var outbox = Outbox()
        var queue = PickyQueue(isStuck: true)
        try add(5, .audio, first: 0, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 1)
        (queue.isLinkUp, queue.isStuck) = (false, false)
        try add(3, .control, first: 5, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 2)
        queue.isLinkUp = true
        try add(2, .control, first: 8, to: &outbox, from: pool)
        outbox.transmit(&queue, counters: counters, now: 3)
        #expect(queue.taken == [8, 9] && counters[.linkDown] == 8)
        #expect(pool.available == pool.count)
    }

    @Test(arguments: [SRTPProfile.aeadAes128Gcm, .aes128CmHmacSha1])
    func `what is sealed leaves with the port's burst, and waits only for the company that its cipher gains from`(
        profile: SRTPProfile
    ) throws {
        let pool = try PortFixture.pool(count: 1_023)
        defer { pool.deallocate() }
        let engine = SRTPEngine()
        var random = SplitMix(seed: 1)
        let slab = SRTPSlab(engine, random.keying(profile))
        let payload = SRTPBuffer(random.bytes(100))
        var template = FrameTemplate(
            source: Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 1),
            destination: Endpoint(address: IPAddress(v4: 0x0a00_0002), port: 2), sourceMAC: .zero,
            destinationMAC: .broadcast)
        var outbox = Outbox(mac: .zero, transmitBurst: 16)
        var fullAt: [Int] = []
        for number in 1...64 {
            let frame = try #require(pool.allocate())
            let destination = (frame.data + template.length).assumingMemoryBound(to: UInt8.self)
            destination.initialize(repeating: 0x80, count: 12)
            let job = SealJob(
                transform: slab.transform, source: payload.start, destination: destination, headerLength: 12,
                payloadLength: 100, index: UInt64(number), ssrc: 7)
            outbox.seal(
                job, in: frame, template: &template, priority: .camera, engine: engine, offload: ChecksumOffload())
            if outbox.isFull { fullAt.append(number) }
        }
        #expect(fullAt.first == (profile == .aes128CmHmacSha1 && !engine.sealsSingly(profile) ? 64 : 16))
        var queue = NarrowQueue(room: 64)
        outbox.transmit(&queue, counters: LocalCounters(), now: 0)
        #expect(queue.taken.count == 64)
        withExtendedLifetime((slab, payload)) {}
    }
}
