import Wire

/// How long the packets of a Slot name its m-line: with the MID header extension until a report of the receiver tells that
/// it knows the stream (RFC 9143 section 15), so that it needs no SSRC in the answer.
struct StreamName: BitwiseCopyable {
    /// Media packets below this number (with roll-overs) name it; 0 when none do any more.
    private(set) var until: UInt64 = .max
    /// Packets of the retransmission stream name it.
    private(set) var isInRetransmissions: Bool
    /// A repeated packet must be the same to the bit, as it is sent under its own number: `until` is not forgotten at once.
    private let isExact: Bool
    /// The Session counts it among those that wait for a report.
    var isAwaited = false
    /// The MID, if an element in the one-byte form holds it, which it does up to 16 bytes.
    private(set) var count: UInt8 = 0
    private(set) var bytes = InlineArray<16, UInt8>(repeating: 0)

    /// What is further back is not repeated any more.
    private static let repeatableNumbers: UInt64 = 4_096

    init(_ mid: ShortText, hasRetransmissions: Bool, isExact: Bool) {
        isInRetransmissions = hasRetransmissions
        self.isExact = isExact
        guard mid.count > 0, mid.count <= 16 else {
            until = 0
            isInRetransmissions = false
            return
        }
        count = mid.count
        for index in 0..<Int(mid.count) { bytes[index] = mid.bytes[index] }
    }

    /// Nothing names it any more.
    var isOver: Bool { until == 0 && !isInRetransmissions }

    /// The receiver knows the media stream, of which `highest` was sent last.
    mutating func confirm(highest: UInt64) {
        guard isExact else {
            until = 0
            return
        }
        if until == .max { until = highest &+ 1 }
        if highest &- until > Self.repeatableNumbers, highest > until { until = 0 }
    }

    /// The receiver knows the retransmission stream.
    mutating func confirmRetransmissions() { isInRetransmissions = false }
}
