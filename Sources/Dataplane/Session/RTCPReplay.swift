/// Which SRTCP packets of a Session's peer were received: each of its SSRCs counts its own index (RFC 3711
/// sections 3.2.3 and 3.4).
struct RTCPReplay: BitwiseCopyable {
    private struct Source: BitwiseCopyable {
        var ssrc: UInt32
        var window: ReplayWindow
    }

    /// As many as a peer has streams, and its receivers' own.
    private static let capacity = 16
    private var sources = InlineArray<16, Source>(repeating: Source(ssrc: 0, window: ReplayWindow()))
    private var count = 0
    /// The place that a newcomer takes when all are taken.
    private var next = 0

    /// Takes the index of an authentic packet; false for a repeated one.
    mutating func accept(ssrc: UInt32, index: UInt32) -> Bool {
        let place = place(of: ssrc)
        guard sources[place].window.check(UInt64(index)) else { return false }
        sources[place].window.accept(UInt64(index))
        return true
    }

    private mutating func place(of ssrc: UInt32) -> Int {
        for index in 0..<count where sources[index].ssrc == ssrc { return index }
        var place = count
        if count < Self.capacity {
            count &+= 1
        } else {
            place = next
            next = (next &+ 1) % Self.capacity
        }
        sources[place] = Source(ssrc: ssrc, window: ReplayWindow())
        return place
    }
}
