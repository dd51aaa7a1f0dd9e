/// What was sent again lately to a Session's peer, so that whoever asks how often gets it once a round trip, and not for
/// ever. In the worker's slab: a table by number, in which the latest of two with one place counts.
struct RepeatLog: BitwiseCopyable {
    struct Entry: BitwiseCopyable {
        /// The Slot's index, modulo 2^16.
        var slot: UInt16 = 0
        /// The sequence number that it had first.
        var number: UInt16 = 0
        /// When it went last, ms modulo 2^24, above the times that it went.
        var stamp: UInt32 = 0
    }

    /// A power of two; numbers in a row have places of their own.
    static let depth = 256
    /// How often one packet is sent again: libwebrtc's receivers ask as often.
    static let mostTimes: UInt32 = 10
    /// ms after which a packet is another one of its number.
    private static let memory: UInt32 = 10_000
    private static let clockMask: UInt32 = 0xff_ffff

    /// How long a peer has to take what it asked for, where its round trip is not known, and the bounds where it is, ns.
    static let assumedPause: UInt64 = 40_000_000
    static let shortestPause: UInt64 = 10_000_000
    static let longestPause: UInt64 = 1_000_000_000

    /// `depth` entries.
    let entries: UnsafeMutablePointer<Entry>

    /// For how long the same packet does not go again, ns.
    static func pause(_ roundTrip: RoundTripTime) -> UInt64 {
        guard roundTrip.smoothed > 0 else { return assumedPause }
        return min(max(roundTrip.smoothed, shortestPause), longestPause)
    }

    /// Whether a packet may go again now; then it counts as sent.
    ///
    /// - Parameters:
    ///   - slot: the Slot's index.
    ///   - number: the packet's sequence number.
    ///   - pause: ns.
    func admits(slot: Int, number: UInt16, pause: UInt64, now: UInt64) -> Bool {
        let slot = UInt16(truncatingIfNeeded: slot)
        let place = Int(truncatingIfNeeded: (number &+ slot &* 37) & UInt16(Self.depth - 1))
        let time = UInt32(truncatingIfNeeded: now / 1_000_000) & Self.clockMask
        let entry = entries[place]
        var times: UInt32 = 0
        if entry.stamp != 0, entry.slot == slot, entry.number == number {
            let age = (time &- entry.stamp >> 8) & Self.clockMask
            if age < Self.memory {
                times = entry.stamp & 0xff
                guard times < Self.mostTimes, UInt64(age) &* 1_000_000 >= pause else { return false }
            }
        }
        entries[place] = Entry(slot: slot, number: number, stamp: time << 8 | (times &+ 1))
        return true
    }
}
