import Glibc
import Synchronization

/// Wakes the consumer of rings that waits with poll(2), through a pipe. It costs a producer one load while the consumer
/// is awake, and a system call only to wake it.
///
/// A handle: copies share the same pipe, which its maker frees with `deallocate` when both sides are done. The consumer
/// calls `await`, looks at its rings once more, waits until `handle` is readable, and calls `answer`. The producer calls
/// `ring` after what it made visible. So either the consumer's last look finds it, or the producer finds the consumer
/// waiting.
@frozen
public struct Doorbell: BitwiseCopyable, @unchecked Sendable {
    /// Readable when it was rung; -1 for a bell that nobody can wait for.
    public let handle: Int32
    private let writer: Int32
    private let isAwaited: UnsafeMutablePointer<Atomic<Bool>>?

    /// A bell; a silent one when the process has no file handle left: whoever waits also waits for a time.
    public init() {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &ends) { ends in
            ends.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) == 0 }
        }
        guard made else {
            self = .silent
            return
        }
        for end in [ends.0, ends.1] {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        let flag = UnsafeMutablePointer<Atomic<Bool>>.allocate(capacity: 1)
        flag.initialize(to: Atomic(false))
        self.init(handle: ends.0, writer: ends.1, isAwaited: flag)
    }

    private init(handle: Int32, writer: Int32, isAwaited: UnsafeMutablePointer<Atomic<Bool>>?) {
        self.handle = handle
        self.writer = writer
        self.isAwaited = isAwaited
    }

    /// Nobody waits for it, and ringing it does nothing.
    public static var silent: Doorbell { Doorbell(handle: -1, writer: -1, isAwaited: nil) }

    public func deallocate() {
        guard let isAwaited else { return }
        close(handle)
        close(writer)
        isAwaited.deallocate()
    }

    /// Producer: what was made visible before is seen by the consumer.
    public func ring() {
        guard let isAwaited else { return }
        // Between the ring's store and this load, as in `await` between its store and the look at the rings.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isAwaited.pointee.load(ordering: .relaxed),
            isAwaited.pointee.exchange(false, ordering: .relaxed)
        else { return }
        wake()
    }

    @inline(never)
    private func wake() {
        // A full pipe is readable already.
        var byte: UInt8 = 0
        _ = write(writer, &byte, 1)
    }

    /// Consumer: it is about to wait; what comes from now on rings.
    public func await() {
        guard let isAwaited else { return }
        isAwaited.pointee.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Consumer: it waits no longer. `wasRung`: `handle` was readable.
    public func answer(wasRung: Bool) {
        guard let isAwaited else { return }
        isAwaited.pointee.store(false, ordering: .relaxed)
        if wasRung { silence() }
    }

    @inline(never)
    private func silence() {
        var bytes: (UInt64, UInt64) = (0, 0)
        _ = read(handle, &bytes, 16)
    }
}
