import Api
import Foundation
import ServiceLifecycle
import Synchronization

/// The service manager's datagram socket (sd_notify(3)).
///
/// It is open for as long as the process lives: a node that has no descriptors left still tells that it lives.
struct NotifySocket {
    private let path: String
    private let handle: Int32

    /// Nil when no service manager listens.
    init?(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"),
            path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return nil }
        self.path = path
    }

    /// Sends assignments, one a line. A manager that does not listen costs us nothing, not even time.
    func send(_ lines: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name in the abstract space begins with a zero byte (unix(7)), written as @.
        let name = Array(path.utf8.enumerated().map { $0 == 0 && $1 == UInt8(ascii: "@") ? 0 : $1 })
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let bytes = Array(lines.utf8)
                let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
                return sendto(handle, bytes, bytes.count, flags, address, length)
            }
        }
    }
}

/// What the service manager is told, once a second.
struct ServiceNotices {
    /// How much time a drain asks for at a time; it asks each second.
    static let extensionMicroseconds = 30_000_000

    /// Whether the manager wants to hear that we live.
    let hasWatchdog: Bool
    private var wasReady = false
    private var wasStopping = false

    init(hasWatchdog: Bool) { self.hasWatchdog = hasWatchdog }

    /// The assignments that are due; empty: none.
    ///
    /// - Parameters:
    ///   - isListening: all listeners are up.
    ///   - isAlive: no worker stands still. A process that cannot help itself is left to the manager's watchdog.
    mutating func next(isListening: Bool, isAlive: Bool, drain: Drain.State) -> [String] {
        var lines: [String] = []
        if isListening, !wasReady {
            wasReady = true
            lines += ["READY=1", "STATUS=serving"]
        }
        if drain.isStopping {
            if !wasStopping { lines += ["STOPPING=1", "STATUS=draining"] }
            wasStopping = true
            if drain.phase == .draining { lines.append("EXTEND_TIMEOUT_USEC=\(Self.extensionMicroseconds)") }
        }
        if hasWatchdog, isAlive { lines.append("WATCHDOG=1") }
        return lines
    }
}

/// Tells the service manager that the node is ready, lives, and stops.
final class ServiceNotifier: Service {
    private let socket: NotifySocket
    private let drain: Drain
    private let status: any NodeStatus
    private let listeners: Atomic<Int>

    /// - Parameter listeners: how many are to come up before the node is ready.
    init(_ socket: NotifySocket, drain: Drain, status: any NodeStatus, listeners: Int = 2) {
        self.socket = socket
        self.drain = drain
        self.status = status
        self.listeners = Atomic(listeners)
    }

    /// One listener is up.
    func listening() { listeners.subtract(1, ordering: .relaxed) }

    func run() async {
        let watchdog = ProcessInfo.processInfo.environment["WATCHDOG_USEC"].flatMap(UInt64.init)
        let pulse = WorkerPulse()
        let clock = SystemClock()
        await cancelWhenGracefulShutdown { [self] in
            var notices = ServiceNotices(hasWatchdog: watchdog != nil)
            while !Task.isCancelled {
                let look = pulse.look(at: status.workers, now: clock.now)
                let lines = notices.next(
                    isListening: listeners.load(ordering: .relaxed) <= 0, isAlive: look.silent.isEmpty,
                    drain: drain.state)
                if !lines.isEmpty { socket.send(lines.joined(separator: "\n")) }
                // A cancelled sleep ends at once, and the loop with it.
                try? await clock.sleep(for: .seconds(1))
            }
        }
    }
}
