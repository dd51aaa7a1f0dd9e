import Mailbox
import Wire

/// A Track that goes over a Lane: a Sink that gets the publisher's packets as they are, once for each Layer that the far end
/// wants.
struct Crossing: BitwiseCopyable {
    let handle: CrossingHandle
    let track: TrackHandle
    let lane: LaneHandle
    /// The far end's, of Layer 0.
    let name: LaneName
    var wanted = LayerSet()
    /// Of the Track, as the far end was told last; nil before the first time.
    var toldChoices: UInt64?
    var numbering = InlineArray<3, LaneNumbering>(repeating: LaneNumbering())
    /// For sender reports (RFC 3550 section 6.4.1).
    var packetsSent = InlineArray<3, UInt32>(repeating: 0)
    var octetsSent = InlineArray<3, UInt32>(repeating: 0)
    /// In the lists of the Track and of the Lane; indices.
    var nextOfTrack = Link.none
    var nextOfLane = Link.none

    init(_ open: OpenCrossing) {
        handle = open.crossing
        track = open.track
        lane = open.lane
        name = open.name
    }
}

/// From a Track's sequence numbers to SRTP indices (RFC 3711 section 3.3.1) on a Lane. No index ever stands for two packets,
/// and the far end can follow: it counts from round 0, and sees no leap that hides a roll-over.
struct LaneNumbering: BitwiseCopyable {
    private static let first: UInt64 = 1_000
    /// A longer gap, as after a time in which nobody wanted the Layer or at a publisher's restart, is closed up to ...
    private static let longestGap: UInt64 = 1_024
    /// ... this: longer than what is repaired, so that the far end goes on at a keyframe.
    private static let restartGap: UInt64 = 256
    /// Indices have 48 bits; nothing is sent under what lies behind them.
    private static let end: UInt64 = 1 << 48

    /// Added to sequence numbers from `begin` on, and before that to those in `formerBegin..<formerEnd`.
    private var delta: UInt64 = 0
    private var begin: UInt64 = 0
    private var former: UInt64 = 0
    private var formerBegin: UInt64 = 0
    private var formerEnd: UInt64 = 0
    /// The highest index; 0 before the first packet.
    private var last: UInt64 = 0

    /// The index of a packet that is sent for the first time; nil for one that is too late.
    mutating func next(_ sequence: UInt64) -> UInt64? {
        guard last != 0 else {
            begin = sequence
            delta = Self.first &- sequence
            last = Self.first
            return last
        }
        guard let index = index(of: sequence) else { return nil }
        guard index > last else { return index }
        guard last < Self.end &- Self.longestGap else { return nil }
        if index &- last > Self.longestGap {
            (former, formerBegin, formerEnd) = (delta, begin, last &- delta &+ 1)
            begin = sequence
            delta = last &+ Self.restartGap &- sequence
            last = last &+ Self.restartGap
        } else {
            last = index
        }
        return last
    }

    /// The packet whose index has these lowest 32 bits; nil for one that was not sent, or too long ago.
    func find(_ low: UInt32) -> (sequence: UInt64, index: UInt64)? {
        let age = UInt64(UInt32(truncatingIfNeeded: last) &- low)
        guard age < last else { return nil }
        let index = last &- age
        if index >= begin &+ delta { return (index &- delta, index) }
        guard index >= formerBegin &+ former, index < formerEnd &+ former else { return nil }
        return (index &- former, index)
    }

    /// The index that stands for a packet; nil for one that is too late.
    private func index(of sequence: UInt64) -> UInt64? {
        if sequence >= begin { return sequence &+ delta }
        return sequence >= formerBegin && sequence < formerEnd ? sequence &+ former : nil
    }
}
