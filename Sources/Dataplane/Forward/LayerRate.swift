/// What one Layer of a Track takes, as receivers are sent it.
struct LayerRate: BitwiseCopyable {
    /// Over which bytes are counted, ns: longer than the distance of frames, shorter than that of keyframes.
    private static let window: UInt64 = 500_000_000
    /// Of headers, extensions and the tag of SRTP in a packet.
    private static let overhead: UInt32 = 40

    /// bits/s; 0 before the first full window.
    private(set) var bitsPerSecond: UInt32 = 0
    private var bytes: UInt32 = 0
    private var packets: UInt32 = 0
    /// When the window began, ns; 0 before the first packet.
    private var began: UInt64 = 0

    /// A packet with so many bytes of payload came.
    @inline(__always)
    mutating func note(payload: UInt16) {
        bytes &+= UInt32(payload)
        packets &+= 1
    }

    /// Ends the window where it is time; called several times a window. A Layer that is not sent keeps what it had.
    mutating func tick(now: UInt64) {
        guard began != 0 else {
            if packets > 0 { began = now }
            return
        }
        let elapsed = now &- began
        guard elapsed >= Self.window else { return }
        began = packets > 0 ? now : 0
        guard packets > 0 else { return }
        let bits = (UInt64(bytes) &+ UInt64(packets &* Self.overhead)) &* 8
        let sample = UInt32(clamping: bits &* 1_000_000 / (elapsed / 1_000))
        // Keyframes make a window expensive that is none of many.
        bitsPerSecond = bitsPerSecond == 0 ? sample : bitsPerSecond / 4 &* 3 &+ sample / 4
        bytes = 0
        packets = 0
    }

    /// The worker of its source measured so many kbit/s; what comes here is measured here.
    mutating func note(told kilobits: UInt16) {
        if began == 0, kilobits > 0 { bitsPerSecond = UInt32(kilobits) &* 1_000 }
    }

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
}
