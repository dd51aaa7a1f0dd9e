import CDPDK
import Testing

@testable import Dataplane

@Suite("An Mbuf")
struct PortMbufTests {
    @Test("grows and shrinks at both ends within its room")
    func room() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        let mbuf = try PortFixture.mbuf([1, 2, 3, 4], from: pool)
        defer { mbuf.free() }
        #expect(mbuf.headroom == 128)
        #expect(mbuf.tailroom == 2_048 - 4)
        try #require(mbuf.prepend(2)).storeBytes(of: 0x0909, as: UInt16.self)
        #expect(Array(mbuf.bytes) == [9, 9, 1, 2, 3, 4])
        #expect(mbuf.adjust(3))
        #expect(mbuf.setLength(2))
        #expect(Array(mbuf.bytes) == [2, 3])
        #expect(!mbuf.adjust(3))
        #expect(mbuf.prepend(mbuf.headroom + 1) == nil)
        #expect(mbuf.append(mbuf.tailroom + 1) == nil)
        #expect(!mbuf.setLength(2_048))
        #expect(mbuf.setLength(mbuf.length + mbuf.tailroom))
        #expect(mbuf.tailroom == 0)
        #expect(mbuf.isContiguous)
    }

    @Test("of a dense pool lies right behind the one before, over the ends of pages")
    func dense() throws {
        try PortFixture.startEAL()
        let pool = try BufferPool(name: "dense", count: 255, isDense: true)
        defer { pool.deallocate() }
        #expect(pool.isOneArea)
        let buffers = try (0..<255).map { _ in try #require(pool.allocate()) }
        defer { for buffer in buffers { buffer.free() } }
        let places = buffers.map { Int(bitPattern: $0.data) }.sorted()
        let steps = Set(zip(places, places.dropFirst()).map { $1 - $0 })
        #expect(steps.count == 1 && steps.allSatisfy { $0 < 2_560 }, "\(steps)")
        #expect(buffers.allSatisfy { $0.headroom == 128 && $0.tailroom == 2_048 })
    }

    @Test("returns to its pool with its last reference")
    func references() throws {
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let mbuf = try #require(pool.allocate())
        #expect(pool.available == 30)
        mbuf.retain(2)
        #expect(mbuf.referenceCount == 3)
        mbuf.free()
        mbuf.free()
        #expect(pool.available == 30)
        mbuf.free()
        #expect(pool.available == 31)
    }

    @Test("has a cache line of metadata beside its data")
    func metadata() throws {
        struct Facts: BitwiseCopyable {
            var a: UInt64 = 0, b: UInt64 = 0, c: InlineArray<48, UInt8> = .init(repeating: 0)
        }
        #expect(MemoryLayout<Facts>.size == Mbuf.metadataSize)
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let mbuf = try PortFixture.mbuf([7, 7, 7], from: pool)
        #expect(UInt(bitPattern: mbuf.metadata) % 64 == 0)
        mbuf.metadata(as: Facts.self).pointee = Facts(a: .max, b: .max, c: .init(repeating: 0xff))
        #expect(Array(mbuf.bytes) == [7, 7, 7])
        #expect(mbuf.headroom == 128)
        mbuf.free()
        #expect(pool.available == 31)
    }

    @Test("asks for the checksums that the device offers")
    func checksums() throws {
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let mbuf = try #require(pool.allocate())
        defer { mbuf.free() }
        mbuf.requestChecksums(ChecksumOffload(ipv4Header: true, udp: true), isV4: true)
        #expect(mbuf_ol_flags(mbuf.raw) == mbuf_tx_ipv4 | mbuf_tx_ip_cksum | mbuf_tx_udp_cksum)
        // Lengths of layer 2, 7 bits; 3, 9 bits; 4, 8 bits.
        #expect(mbuf_tx_offload(mbuf.raw) == 14 | 20 << 7 | 8 << 16)
        mbuf.clearOffloads()
        mbuf.requestChecksums(ChecksumOffload(ipv4Header: true, udp: true), isV4: false)
        #expect(mbuf_ol_flags(mbuf.raw) == mbuf_tx_ipv6 | mbuf_tx_udp_cksum)
        mbuf.clearOffloads()
        #expect(mbuf_ol_flags(mbuf.raw) == 0)
    }

    @Test("comes in bulk or not at all")
    func bulk() throws {
        let pool = try PortFixture.pool(count: 31)
        defer { pool.deallocate() }
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 32)
        defer { burst.deallocate() }
        #expect(!pool.allocate(into: burst, count: 32))
        #expect(pool.available == 31)
        #expect(pool.allocate(into: burst, count: 31))
        #expect(pool.available == 0)
        #expect(pool.allocate() == nil)
        burst.freeAll(31)
        #expect(pool.available == 31)
    }
}
