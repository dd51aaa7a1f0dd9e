/// The sequence numbers of a Layer that did not come in, and when to ask the publisher for them again
/// (generic NACK, RFC 4585 section 6.2.1).
struct MissingPackets: BitwiseCopyable {
    struct Entry: BitwiseCopyable {
        var sequence: UInt64
        /// When it may be asked for again, us modulo 2^32: entries live for less than a second.
        var due: UInt32
        var tries: UInt8

        func isDue(now: UInt64) -> Bool { Int32(bitPattern: Entry.time(now) &- due) >= 0 }

        /// ns to us.
        static func time(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now / 1_000) }
    }

    static let capacity = 32
    /// A gap larger than `capacity` is not repaired: a keyframe is requested instead.
    private(set) var count = 0
    private var entries = InlineArray<32, Entry>(repeating: Entry(sequence: 0, due: 0, tries: 0))
    /// Where the latest keyframe starts: nobody needs what is from before it to go on.
    private var keyframe: UInt64 = 0

    /// How long packets may be out of order before they are missed, ns.
    static let reorderWait: UInt64 = 5_000_000
    /// How long an answer may take before we ask again, where the round trip to the publisher is not known, ns; and how much
    /// longer than a round trip where it is.
    static let assumedWait: UInt64 = 60_000_000
    static let answerTime: UInt64 = 10_000_000
    /// All tries fit into the time for which packets are kept anywhere.
    static let longestWait: UInt64 = 250_000_000
    static let maximumTries: UInt8 = 8

    /// Everything from `first` up to and without `end` is missing since `now`. False when that is too much.
    mutating func add(from first: UInt64, to end: UInt64, now: UInt64) -> Bool {
        guard end &- first <= UInt64(Self.capacity &- count) else {
            count = 0
            return false
        }
        for sequence in first..<end {
            entries[count] = Entry(sequence: sequence, due: Entry.time(now &+ Self.reorderWait), tries: 0)
            count &+= 1
        }
        return true
    }

    /// `sequence` came in after all.
    mutating func remove(_ sequence: UInt64) {
        for index in 0..<count where entries[index].sequence == sequence {
            count &-= 1
            entries[index] = entries[count]
            return
        }
    }

    /// Whether the packet of this number is asked for still.
    func contains(_ sequence: UInt64) -> Bool {
        for index in 0..<count where entries[index].sequence == sequence { return true }
        return false
    }

    /// Forgets all of them.
    mutating func clear() { count = 0 }

    /// A keyframe has started behind the packet of this number.
    func isMended(_ sequence: UInt64) -> Bool { sequence < keyframe }

    /// A keyframe starts with the packet of this number.
    mutating func noteKeyframe(at sequence: UInt64) { keyframe = max(keyframe, sequence) }

    /// Writes the sequence numbers that are to be asked for now, ascending, and returns how many; entries that were
    /// asked for too often are given up. `list` has room for `capacity`. `isBroken`: without those that were given up nobody
    /// can go on but by another keyframe. `roundTrip`: to the publisher, ns; 0: not known.
    mutating func takeDue(
        now: UInt64, roundTrip: UInt64, into list: UnsafeMutablePointer<UInt16>
    ) -> (count: Int, isBroken: Bool) {
        let wait = roundTrip == 0 ? Self.assumedWait : min(roundTrip &+ Self.answerTime, Self.longestWait)
        var kept = 0
        var due = 0
        var isBroken = false
        for index in 0..<count {
            var entry = entries[index]
            if entry.isDue(now: now) {
                if entry.tries >= Self.maximumTries {
                    isBroken = isBroken || !isMended(entry.sequence)
                    continue
                }
                entry.tries &+= 1
                entry.due = Entry.time(now &+ wait)
                insert(UInt16(truncatingIfNeeded: entry.sequence), into: list, count: due)
                due &+= 1
            }
            entries[kept] = entry
            kept &+= 1
        }
        count = kept
        return (due, isBroken)
    }

    /// Ascending in sequence arithmetic (RFC 1982), as the NACK writer packs runs.
    private func insert(_ value: UInt16, into list: UnsafeMutablePointer<UInt16>, count: Int) {
        var place = count
        while place > 0, Int16(bitPattern: list[place - 1] &- value) > 0 {
            list[place] = list[place - 1]
            place -= 1
        }
        list[place] = value
    }
}
