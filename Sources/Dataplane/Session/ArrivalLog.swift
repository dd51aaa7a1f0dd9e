import Wire

/// When packets with transport-wide sequence numbers came in, for the feedback that makes a publisher's
/// encoder ramp up (draft-holmer-rmcat-transport-wide-cc-extensions-01).
struct ArrivalLog: BitwiseCopyable {
    /// Sequence numbers that are remembered; a power of two.
    static let depth = 1_024
    /// Packets that one feedback message reports at most.
    static let maximumReport = 400
    /// Of arrival times, ns: the unit of the feedback's deltas.
    static let tick: UInt64 = 250_000

    /// Of what did not come. A tick of this number is taken for the one before it.
    private static let lost = UInt32.max

    /// Ticks of arrival modulo 2^32, 12 days, or `lost`. `depth` words in the worker's slab.
    private let ticks: UnsafeMutablePointer<UInt32>
    /// The first sequence number that was not reported, and the end of those received; with roll-overs.
    private(set) var base: UInt64 = 0
    private(set) var end: UInt64 = 0
    /// The first number since the log began, or began anew.
    private var first: UInt64 = 0
    /// Feedback messages so far; the message's 8-bit counter.
    var feedbackCount: UInt8 = 0
    /// When feedback was last sent, ns.
    var sentAt: UInt64 = 0

    init(ticks: UnsafeMutablePointer<UInt32>) { self.ticks = ticks }

    private func place(_ sequence: UInt64) -> UnsafeMutablePointer<UInt32> {
        ticks + Int(truncatingIfNeeded: sequence & UInt64(Self.depth - 1))
    }

    private static func ticks(_ now: UInt64) -> UInt32 { min(UInt32(truncatingIfNeeded: now / tick), lost &- 1) }

    var isEmpty: Bool { base == end }
    /// As much waits to be reported as should go in one message.
    var isFull: Bool { end &- base >= UInt64(Self.maximumReport / 2) }

    /// Notes that `sequence` came in at `now` (ns).
    mutating func note(_ sequence: UInt16, now: UInt64) {
        if end == 0 {
            // One round up, so that numbers before the first stay positive.
            restart(at: 0x1_0000 | UInt64(sequence))
        }
        let distance = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: end)))
        let extended = UInt64(bitPattern: Int64(bitPattern: end) &+ distance)
        if extended >= end {
            // A jump over the whole log: start anew.
            if extended &- base >= UInt64(Self.depth) { restart(at: extended) }
            while end < extended {
                place(end).pointee = Self.lost
                end &+= 1
            }
            place(extended).pointee = Self.ticks(now)
            end = extended &+ 1
        } else {
            noteLate(extended, now: now)
        }
    }

    /// A number from before the end. If it was reported lost the next message goes back to it, with all that came behind it:
    /// a message speaks of numbers in a row, and "not received" for them would be wrong.
    private mutating func noteLate(_ sequence: UInt64, now: UInt64) {
        guard sequence >= first, end &- sequence <= UInt64(Self.maximumReport),
            place(sequence).pointee == Self.lost
        else { return }
        place(sequence).pointee = Self.ticks(now)
        base = min(base, sequence)
    }

    private mutating func restart(at sequence: UInt64) {
        first = sequence
        base = sequence
        end = sequence
    }

    /// Writes feedback for what was not reported yet, as much of it as fits, and counts it as reported.
    /// `now`: ns, not before the latest arrival. `scratch` has room for `maximumReport`. False when nothing was written.
    mutating func report(
        to writer: inout RTCPWriter, scratch: UnsafeMutablePointer<Int64>, senderSSRC: UInt32, mediaSSRC: UInt32,
        now: UInt64
    ) -> Bool {
        let count = min(Int(truncatingIfNeeded: end &- base), Self.maximumReport)
        let present = now / Self.tick
        for index in 0..<count {
            let arrival = place(base &+ UInt64(index)).pointee
            let age = UInt64(UInt32(truncatingIfNeeded: present) &- arrival)
            scratch[index] = arrival == Self.lost ? RTCPWriter.lost : Int64(present) &- Int64(age)
        }
        let covered = writer.addTransportFeedback(
            senderSSRC: senderSSRC, mediaSSRC: mediaSSRC, baseSequence: UInt16(truncatingIfNeeded: base),
            feedbackCount: feedbackCount, arrivals: UnsafeBufferPointer(start: scratch, count: count))
        guard covered > 0 else {
            // Nothing of so long a run came in.
            if count == Self.maximumReport { base &+= UInt64(count) }
            return false
        }
        base &+= UInt64(covered)
        feedbackCount &+= 1
        return true
    }
}
