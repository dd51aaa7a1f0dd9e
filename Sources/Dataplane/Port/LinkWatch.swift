import CDPDK
import Dispatch

/// Asks a device whether its link is up.
struct LinkProbe: Sendable {
    /// DPDK's number of the device, or what it is instead.
    let id: UInt16
    let sockets: PacketSocketDevice?
    /// The kernel's interface that says it, where the device does not.
    let interface: String?

    /// A device that is gone has none.
    var isUp: Bool {
        if let sockets { return sockets.isLinkUp }
        guard port_link_is_up(id) != 0 else { return false }
        guard let interface else { return true }
        return interface_is_running(interface) != 0
    }
}

/// Looks at a port's link now and then, as kernel-backed devices tell of no change. Its queue serialises all, and so guards the
/// timer.
final class LinkWatch: @unchecked Sendable {
    /// What a device got in so long after its link went down it may play back later.
    private static let interval = DispatchTimeInterval.milliseconds(50)

    /// Its owner frees it when the workers have ended.
    let link = PortLink()
    private let queue = DispatchQueue(label: "needletail.port-link")
    /// Of `queue`; nil until `start`.
    private var timer: (any DispatchSourceTimer)?

    /// Until `stop`. `isUp` may take its time.
    func start(_ isUp: @escaping @Sendable () -> Bool) {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [link] in link.set(isUp()) }
        timer.schedule(deadline: .now(), repeating: Self.interval)
        timer.activate()
        queue.sync { self.timer = timer }
    }

    /// Nothing asks any more when it returns.
    func stop() { queue.sync { timer?.cancel() } }
}
