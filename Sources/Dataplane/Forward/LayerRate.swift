/// What one Layer of a Track takes, as receivers are sent it: all of it, and its lower temporal layers alone.
struct LayerRate: BitwiseCopyable {
    /// Over which bytes are counted, ns: longer than the distance of frames, shorter than that of keyframes.
    private static let window: UInt64 = 500_000_000
    /// Of headers, extensions and the tag of SRTP in a packet.
    private static let overhead: UInt32 = 40

    /// bits/s of the temporal layers up to each; 0 before the first full window. The last is the rate of all.
    private var rates = InlineArray<4, UInt32>(repeating: 0)
    /// Of each temporal layer, since the window began.
    private var bytes = InlineArray<4, UInt32>(repeating: 0)
    /// When the window began, ns; 0 before the first packet.
    private var began: UInt64 = 0

    /// A packet with so many bytes of payload came.
    @inline(__always)
    mutating func note(payload: UInt16, of layer: TemporalLayer) {
        bytes[Int(layer.id)] &+= UInt32(payload) &+ Self.overhead
    }

    /// Ends the window where it is time; called several times a window. A Layer that is not sent keeps what it had.
    mutating func tick(now: UInt64) {
        let isSent = bytes[0] | bytes[1] | bytes[2] | bytes[3] != 0
        guard began != 0 else {
            if isSent { began = now }
            return
        }
        let elapsed = now &- began
        guard elapsed >= Self.window else { return }
        began = isSent ? now : 0
        guard isSent else { return }
        let isFirst = bitsPerSecond == 0
        var total: UInt64 = 0
        for layer in rates.indices {
            total &+= UInt64(bytes[layer])
            let sample = UInt32(clamping: total &* 8 &* 1_000_000 / (elapsed / 1_000))
            // Keyframes make a window expensive that is none of many.
            rates[layer] = isFirst ? sample : rates[layer] / 4 &* 3 &+ sample / 4
            bytes[layer] = 0
        }
    }

    /// The worker of its source measured so many kbit/s; what comes here is measured here.
    mutating func note(told kilobits: UInt16) {
        guard began == 0, kilobits > 0 else { return }
        let all = UInt32(kilobits) &* 1_000
        let before = bitsPerSecond
        for layer in rates.indices {
            // Its temporal layers are as they were.
            rates[layer] = before == 0 ? all : UInt32(clamping: UInt64(rates[layer]) &* UInt64(all) / UInt64(before))
        }
    }

    /// bits/s of all; 0 before the first full window.
    var bitsPerSecond: UInt32 { rates[3] }

    /// It is measured here, and not only told.
    var isMeasured: Bool { began != 0 }

    /// kbit/s; 0 before anything was measured.
    var kilobits: UInt16 { UInt16(clamping: (bitsPerSecond &+ 500) / 1_000) }

    /// bits/s; where nothing was measured yet, what encoders use for so many pixels of height.
    func orUsual(height: UInt16) -> UInt32 {
        guard bitsPerSecond == 0 else { return bitsPerSecond }
        return switch height {
        case ...180: 150_000
        case ...360: 500_000
        case ...720: 1_700_000
        default: 3_500_000
        }
    }

    /// bits/s of the temporal layers up to `limit` of a stream that has them as this one and takes `all` bits/s.
    func part(upTo limit: UInt8, of all: UInt32) -> UInt32 {
        guard limit < TemporalLayer.highest, bitsPerSecond > 0 else { return all }
        return UInt32(clamping: UInt64(all) &* UInt64(rates[Int(limit)]) / UInt64(bitsPerSecond))
    }
}
