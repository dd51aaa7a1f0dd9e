/// The temporal layer of a packet's frame, and who may go up to higher ones there.
struct TemporalLayer: BitwiseCopyable {
    /// Ids above it count as this one: it stands for all frames.
    static let highest: UInt8 = 3

    /// From the lowest bit: the id, 2 bits; a bit for each of the layers 1 to 3 that who can decode this frame may go up to;
    /// whether who gets but the lowest layer can decode it and go up to all.
    private var word: UInt8 = 0

    /// Of a stream that tells none.
    static let lowest = TemporalLayer(0)

    init(_ id: UInt8) { word = min(id, Self.highest) }

    /// 0 ... `highest`.
    var id: UInt8 { word & 3 }

    /// The same frame, where nobody goes up: behind its start.
    var continued: TemporalLayer { TemporalLayer(id) }

    /// Frames up to the `target` (1 ... 3) that follow can be decoded by who can decode this one.
    mutating func setSwitch(to target: UInt8) { word |= 2 << target }

    /// Likewise of all layers.
    mutating func setSwitchToAll() { word |= 0x1c }

    /// This frame and those that follow depend on no other frame above the lowest layer that is older than it.
    mutating func setSync() { word |= 0x20 }

    /// What who gets the layers up to `limit` may get from this frame on, if they are to get those up to `wanted`.
    func limit(from limit: UInt8, upTo wanted: UInt8) -> UInt8 {
        guard wanted > limit, id <= wanted else { return limit }
        if word & 0x20 != 0 { return wanted }
        guard id <= limit else { return limit }
        var target = wanted
        while target > limit, word & 2 << target == 0 { target &-= 1 }
        return target
    }
}
