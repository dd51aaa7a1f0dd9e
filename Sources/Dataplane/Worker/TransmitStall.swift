/// A device that takes no frames though its link is up: its ring is full, the first frame is one that it refuses for ever,
/// or it is stuck.
struct TransmitStall: BitwiseCopyable {
    /// The first frame is tried for so long, ns: longer than any pause of a link, shorter than people notice.
    static let patience: UInt64 = 10_000_000
    /// So many frames given up in a row are no matter of the frames.
    private static let refusals = 3

    /// When the device last took a frame or had none to take, ns; and when it was first offered that which is first now.
    /// 0 while it takes them.
    private var since: UInt64 = 0
    private var offeredAt: UInt64 = 0
    private var refused = 0

    /// The device took a frame, or its link is down.
    mutating func end() { self = TransmitStall() }

    /// The device took none. Whether to give up the first.
    mutating func note(now: UInt64) -> Bool {
        let now = max(now, 1)
        if offeredAt == 0 {
            offeredAt = now
            if since == 0 { since = offeredAt }
            return false
        }
        guard now &- offeredAt >= Self.patience else { return false }
        offeredAt = 0
        refused &+= 1
        return true
    }

    /// How long it has taken nothing, ns; 0 while that may be a frame's fault.
    func duration(now: UInt64) -> UInt64 { refused >= Self.refusals ? now &- since : 0 }
}
