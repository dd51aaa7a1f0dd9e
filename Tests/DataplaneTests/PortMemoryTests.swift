import Testing

@testable import Dataplane

@Suite("A MemoryPort")
struct PortMemoryTests {
    /// Sends numbered frames in, echoes them by a queue, and returns what comes out.
    private static func run(seed: UInt64, inbound: MemoryPort.Link, outbound: MemoryPort.Link) throws
        -> [MemoryPort.Frame]
    {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 32)
        defer { burst.deallocate() }
        let port = MemoryPort(pool: pool, inbound: inbound, outbound: outbound, seed: seed)
        let queue = port.queue()
        var out: [MemoryPort.Frame] = []
        for turn in 0..<2_000 as Range<UInt64> {
            port.advance(to: turn * 100_000)
            if turn < 1_000 { port.deliver([UInt8(turn >> 8), UInt8(turn & 255)]) }
            let count = queue.receive(into: burst, capacity: 32)
            #expect(queue.transmit(burst, count: count) == count)
            out += port.takeTransmitted()
        }
        #expect(port.missed == 0)
        #expect(pool.available == pool.count)
        return out
    }

    private static func numbers(_ frames: [MemoryPort.Frame]) -> [Int] {
        frames.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) }
    }

    @Test("passes everything at once and in order over perfect links")
    func perfect() throws {
        let frames = try Self.run(seed: 1, inbound: .init(), outbound: .init())
        #expect(Self.numbers(frames) == Array(0..<1_000))
        #expect(frames.map(\.time) == (0..<1_000 as Range<UInt64>).map { $0 * 100_000 })
    }

    @Test("does the same again with the same seed, and something else with another")
    func determinism() throws {
        let link = MemoryPort.Link(
            loss: 0.1, duplication: 0.1, reordering: 0.1, holdBack: 1_000_000, delay: 5_000_000,
            jitter: 300_000)
        let first = try Self.run(seed: 42, inbound: link, outbound: link)
        #expect(try Self.run(seed: 42, inbound: link, outbound: link) == first)
        #expect(try Self.run(seed: 43, inbound: link, outbound: link) != first)
    }

    @Test("loses the configured share")
    func loss() throws {
        let frames = try Self.run(seed: 7, inbound: .init(loss: 0.2), outbound: .init())
        // 800 are expected; the deviation is 12.6.
        #expect((740...860).contains(frames.count))
        #expect(Set(Self.numbers(frames)).count == frames.count)
    }

    @Test("doubles the configured share and loses none")
    func duplication() throws {
        let frames = try Self.run(seed: 7, inbound: .init(), outbound: .init(duplication: 0.3))
        #expect(Set(Self.numbers(frames)).count == 1_000)
        #expect((1_230...1_370).contains(frames.count))
    }

    @Test("holds frames back so that others overtake them")
    func reordering() throws {
        let frames = try Self.run(
            seed: 7, inbound: .init(reordering: 0.1, holdBack: 1_000_000), outbound: .init())
        let numbers = Self.numbers(frames)
        #expect(numbers.sorted() == Array(0..<1_000))
        let overtaken = zip(numbers, numbers.dropFirst()).filter { $0 > $1 }.count
        #expect(overtaken > 40)
    }

    @Test("delivers after the delay and not before")
    func delay() throws {
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 4)
        defer { burst.deallocate() }
        let port = MemoryPort(
            pool: pool, inbound: .init(delay: 1_000), outbound: .init(delay: 500), seed: 1)
        port.advance(to: 10)
        port.deliver([1])
        port.advance(to: 1_009)
        #expect(port.queue().receive(into: burst, capacity: 4) == 0)
        port.advance(to: 1_010)
        #expect(port.queue().receive(into: burst, capacity: 4) == 1)
        #expect(port.queue().transmit(burst, count: 1) == 1)
        port.advance(to: 1_509)
        #expect(port.takeTransmitted().isEmpty)
        port.advance(to: 2_000)
        #expect(port.takeTransmitted() == [MemoryPort.Frame(bytes: [1], time: 1_510, queue: 0)])
    }

    @Test("takes what fits and leaves the rest to the caller")
    func backpressure() throws {
        let pool = try PortFixture.pool(count: 31)
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 8)
        defer { burst.deallocate() }
        do {
            let port = MemoryPort(pool: pool, depth: 4, seed: 1)
            #expect(pool.allocate(into: burst, count: 8))
            #expect(port.queue().transmit(burst, count: 8) == 4)
            (burst + 4).freeAll(4)
            for _ in 0..<6 { port.deliver([1, 2, 3]) }
            #expect(port.missed == 2)
        }
        // What it still held is back.
        #expect(pool.available == 31)
        pool.deallocate()
    }

    @Test("captures what the worker saw as a file that tcpdump reads")
    func capture() throws {
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let port = MemoryPort(pool: pool, seed: 1)
        port.captures = true
        port.advance(to: 3_000_000_005)
        port.deliver([0xaa, 0xbb])
        #expect(port.capture == [MemoryPort.Frame(bytes: [0xaa, 0xbb], time: 3_000_000_005, queue: 0)])
        let file = CaptureFile.bytes(of: port.capture)
        #expect(file.count == 24 + 16 + 2)
        #expect(Array(file[..<8]) == [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0])
        #expect(Array(file[24...]) == [3, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb])
    }
}
