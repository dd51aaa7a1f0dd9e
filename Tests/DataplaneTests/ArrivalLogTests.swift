import Testing
import Wire

@testable import Dataplane

/// The numbers that feedback reports, and those of which it takes a loss back.
@Suite struct ArrivalLogs {
    private final class Log {
        private let ticks = UnsafeMutablePointer<UInt32>.allocate(capacity: ArrivalLog.depth)
        private let scratch = UnsafeMutablePointer<Int64>.allocate(capacity: ArrivalLog.maximumReport)
        var log: ArrivalLog
        private var latest: UInt64 = 0

        init() {
            ticks.initialize(repeating: 0, count: ArrivalLog.depth)
            log = ArrivalLog(ticks: ticks)
        }

        deinit {
            ticks.deallocate()
            scratch.deallocate()
        }

        func note(_ numbers: Int..., at milliseconds: UInt64) {
            latest = milliseconds * 1_000_000
            for number in numbers { log.note(UInt16(truncatingIfNeeded: number), now: latest) }
        }

        /// What the next message says: number by number, whether it came in.
        func report() throws -> [(sequence: UInt16, isReceived: Bool)] {
            try statuses().statuses.map { ($0.sequence, $0.isReceived) }
        }

        /// The same with the time, 64 ms, to which the first delta refers.
        func statuses() throws -> (reference: Int32, statuses: [TransportFeedbackStatus]) {
            var memory = [UInt8](repeating: 0, count: 1_100)
            return try memory.withUnsafeMutableBytes { room in
                var writer = RTCPWriter(into: room)
                guard log.report(to: &writer, scratch: scratch, senderSSRC: 1, mediaSSRC: 2, now: latest) else {
                    return (0, [])
                }
                var compound = RTCPCompound(UnsafeRawBufferPointer(rebasing: room.prefix(writer.count)))
                let feedback = try #require(compound.next().flatMap { TransportFeedback($0) })
                return (feedback.referenceTime, Array(feedback.statuses))
            }
        }
    }

    @Test func `what was reported lost and comes after all is reported in the next message`() throws {
        let log = Log()
        log.note(100, 101, 103, at: 10)
        #expect(try log.report().map(\.isReceived) == [true, true, false, true])
        log.note(102, at: 20)
        log.note(104, at: 21)
        let second = try log.report()
        #expect(second.map(\.sequence) == [102, 103, 104] && second.allSatisfy(\.isReceived))
        #expect(log.log.isEmpty)
        log.note(105, at: 30)
        #expect(try log.report().map(\.sequence) == [105])
    }

    @Test func `what was reported received is not reported again`() throws {
        let log = Log()
        log.note(7, 8, 9, at: 1)
        _ = try log.report()
        log.note(8, at: 5)
        #expect(log.log.isEmpty)
    }

    @Test func `the feedback goes back within what one message can say, and not before the first number`() throws {
        let log = Log()
        log.note(1_000, at: 1)
        for number in 1_002..<1_500 { log.note(number, at: 2) }
        while !log.log.isEmpty { _ = try log.report() }
        log.note(999, 1_001, at: 3)
        #expect(log.log.isEmpty, "500 numbers back, and before the log began")
        log.note(1_501, at: 4)
        _ = try log.report()
        log.note(1_500, at: 5)
        #expect(try log.report().map(\.sequence) == [1_500, 1_501])
    }

    @Test func `arrivals go on over the wrap of the ticks after 12 days`() throws {
        let log = Log()
        // 2^32 ticks of 250 us are 1,073,741,824 ms.
        log.note(1, at: 1_073_741_820)
        log.note(3, at: 1_073_741_823)
        log.note(4, at: 1_073_741_825)
        let (reference, statuses) = try log.statuses()
        #expect(reference == -1, "24 bits of 64 ms end with the ticks")
        #expect(statuses.map(\.isReceived) == [true, false, true, true])
        #expect(statuses.map(\.delta) == [240, 0, 12, 8])
    }

    @Test func `numbers go back over their wrap`() throws {
        let log = Log()
        log.note(0xfffe, 0x10000, 0x10001, at: 1)
        _ = try log.report()
        log.note(0xffff, at: 2)
        #expect(try log.report().map(\.sequence) == [0xffff, 0, 1])
    }

    /// As libwebrtc counts: a status of a number that is known to have come changes nothing.
    @Test func `over a network that reorders each number is known to have come in the end`() throws {
        let log = Log()
        var random = RandomSource(seed: 5)
        var numbers = Array(0..<3_000)
        for index in numbers.indices.dropLast(20) where random.next() % 10 == 0 {
            numbers.swapAt(index, index + Int(random.next() % 20))
        }
        var received: Set<UInt16> = []
        var lost: Set<UInt16> = []
        for (place, number) in numbers.enumerated() {
            log.note(number, at: UInt64(place))
            guard place % 7 == 0 else { continue }
            for status in try log.report() {
                if status.isReceived {
                    received.insert(status.sequence)
                    lost.remove(status.sequence)
                } else {
                    #expect(!received.contains(status.sequence), "a number that came is called lost")
                    lost.insert(status.sequence)
                }
            }
        }
        while !log.log.isEmpty {
            for status in try log.report() where status.isReceived { received.insert(status.sequence) }
        }
        #expect(lost.subtracting(received).isEmpty)
        #expect(received.count == 3_000)
    }
}
