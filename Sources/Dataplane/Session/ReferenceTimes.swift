import Wire

/// Receiver reference times (RFC 3611 section 4.4) of a Session's peer that wait for the echo in the next reports. The
/// retransmission timers of a receiver follow the round trip that it measures so.
struct ReferenceTimes: BitwiseCopyable {
    private struct Entry: BitwiseCopyable {
        var ssrc: UInt32
        var time: UInt32
        var arrival: UInt64
    }

    /// Sources of one peer that ask: libwebrtc has one. Who has more gets an answer to the latest.
    static let capacity = 4

    private var entries = InlineArray<4, Entry>(repeating: Entry(ssrc: 0, time: 0, arrival: 0))
    private(set) var count = 0

    /// `time`: 64-bit NTP; `arrival`: ns.
    mutating func note(_ time: UInt64, of ssrc: UInt32, arrival: UInt64) {
        let entry = Entry(ssrc: ssrc, time: UInt32(truncatingIfNeeded: time >> 16), arrival: arrival)
        for index in 0..<count where entries[index].ssrc == ssrc {
            entries[index] = entry
            return
        }
        if count < Self.capacity { count &+= 1 }
        entries[count &- 1] = entry
    }

    /// Takes all out; `echoes` has room for `capacity`. Returns how many.
    mutating func take(into echoes: UnsafeMutablePointer<ReferenceTimeEcho>, now: UInt64) -> Int {
        for index in 0..<count {
            let delay = (now &- entries[index].arrival) / 1_000 &* 65_536 / 1_000_000
            (echoes + index).initialize(
                to: ReferenceTimeEcho(
                    ssrc: entries[index].ssrc, referenceTime: entries[index].time,
                    delay: UInt32(truncatingIfNeeded: delay)))
        }
        defer { count = 0 }
        return count
    }
}
