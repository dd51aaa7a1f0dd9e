import Testing

@testable import Dataplane

@Suite struct SendHistories {
    private final class Holder {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: SendHistory.memorySize, alignment: 8)
        lazy var history = SendHistory(memory: memory)

        deinit { memory.deallocate() }

        func isFound(_ number: UInt16, isReceived: Bool = true, isLate: Bool = false) -> SentPacket? {
            guard case .found(let packet, isLate) = history.take(number, isReceived: isReceived) else { return nil }
            return packet
        }

        func isUnknown(_ number: UInt16) -> Bool {
            guard case .unknown = history.take(number, isReceived: true) else { return false }
            return true
        }
    }

    @Test func `a session's state fits in ten kibibytes`() {
        #expect(
            BandwidthEstimator.memorySize + MemoryLayout<BandwidthEstimator>.stride + MemoryLayout<Pacer>.stride
                <= 10 * 1_024)
    }

    @Test func `a packet is found once, and what was lost may come after all`() throws {
        let holder = Holder()
        holder.history.note(7, bytes: 900, kind: .probe, now: 3_000_000)
        holder.history.note(8, bytes: 100, kind: .media, now: 4_000_000)
        #expect(holder.history.bytesInFlight == 1_000)
        let packet = try #require(holder.isFound(7))
        #expect(packet.bytes == 900 && packet.kind == .probe && packet.time == 3_000)
        #expect(holder.isFound(7) == nil && !holder.isUnknown(7))
        #expect(holder.isFound(8, isReceived: false) != nil)
        #expect(holder.isFound(8, isReceived: false) == nil)
        #expect(holder.history.bytesInFlight == 0)
        #expect(holder.isFound(8, isLate: true) != nil)
        #expect(holder.isFound(8, isReceived: false) == nil)
    }

    @Test func `numbers wrap, and those of another round are unknown`() {
        let holder = Holder()
        for number in 65_000..<66_100 {
            holder.history.note(UInt16(truncatingIfNeeded: number), bytes: 10, kind: .media, now: 1)
        }
        #expect(holder.history.bytesInFlight == SendHistory.depth * 10)
        #expect(holder.isUnknown(65_075) && holder.isUnknown(564) && holder.isUnknown(20_000))
        #expect(holder.isFound(65_076) != nil && holder.isFound(65_535) != nil && holder.isFound(563) != nil)
    }
}
