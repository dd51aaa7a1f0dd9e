import CDPDK
import Glibc

/// A thread pinned to one core, registered with EAL so that it has its own cache in every mempool.
final class PinnedThread: Sendable {
    private let thread: pthread_t

    private final class Start: Sendable {
        let name: String
        let core: Int?
        let body: @Sendable () -> Void

        init(name: String, core: Int?, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.core = core
            self.body = body
        }
    }

    /// Starts `body` on a thread called `name` (cut to 15 characters), pinned to `core` when there is one.
    /// `join` must be called once before the process may end in order.
    init(name: String, core: Int?, body: @escaping @Sendable () -> Void) throws(PortFailure) {
        if let core { try Self.check(core) }
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, core: core, body: body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                PinnedThread.run(start)
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw PortFailure("thread \(name) did not start (\(EAL.message(of: result))): raise the limit of tasks")
        }
        self.thread = thread
    }

    /// Waits until the body returned.
    func join() { pthread_join(thread, nil) }

    /// For how long the calling thread has run on any core, ns.
    static var runningTime: UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The cores that the calling thread may run on.
    static var allowedCores: [Int] { (0..<1_024).filter { thread_may_run_on(Int32($0)) != 0 } }

    private static func check(_ core: Int) throws(PortFailure) {
        let allowed = allowedCores
        guard allowed.contains(core) else {
            let list = allowed.map(String.init).joined(separator: ", ")
            throw PortFailure("core \(core) is not to be had: this process may run on \(list); configure one of these")
        }
    }

    private static func run(_ start: Start) {
        thread_set_name(String(start.name.prefix(15)))
        if let core = start.core { _ = thread_pin(Int32(core)) }
        // Without a registration (EAL not started, or all 128 lcores taken) pools work without a cache.
        let registered = rte_thread_register() == 0
        start.body()
        if registered { rte_thread_unregister() }
    }
}
