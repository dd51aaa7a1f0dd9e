import CDPDK
import CPacketSocket
import Glibc
import Mailbox

/// How a worker on packet sockets waits when it found nothing: in ppoll(2), until a frame comes or control rings.
struct FrameWait: BitwiseCopyable {
    /// Empty turns before it waits.
    private static let looks: UInt32 = 2

    private let socket: UnsafeMutablePointer<PacketSocketQueue>
    private let bell: Doorbell
    /// How much longer than until the next round of timers it may wait; nanoseconds, as the others.
    private let patience: UInt64
    private let longest: UInt64
    /// How long it stays asleep after a frame has come, so that a burst is received, sealed and sent together: interrupt
    /// moderation.
    private let moderation: UInt64
    /// The same in cycles of the processor.
    private let moderationCycles: UInt64
    private var emptyTurns: UInt32 = 0
    /// Frames come at shorter intervals than it stays asleep: it need not wait for the first one.
    private var isSteady = false

    /// `isAlone`: nothing but frames and control wants the worker; otherwise it looks after its policy's longest sleep.
    init(
        _ socket: UnsafeMutablePointer<PacketSocketQueue>, bell: Doorbell, idle: IdlePolicy, isAlone: Bool,
        clock: CycleClock
    ) {
        self.socket = socket
        self.bell = bell
        let sleep = UInt64(idle.longestSleep) &* 1_000
        patience = isAlone && bell.handle >= 0 ? HousekeepingSchedule.patience : 0
        longest = isAlone ? .max : sleep
        moderation = sleep
        moderationCycles = UInt64(idle.longestSleep) &* clock.frequency / 1_000_000
    }

    /// A turn found work.
    @inline(__always)
    mutating func reset() { emptyTurns = 0 }

    /// Whether it is time to wait after a turn that found nothing.
    @inline(__always)
    mutating func isDue() -> Bool {
        emptyTurns &+= 1
        return emptyTurns > Self.looks
    }

    /// What control says from now on wakes the worker: look at everything once more before `wait`.
    @inline(__always)
    func prepare() { bell.await() }

    /// Waits at most `rest` nanoseconds, and what patience adds to them; 0 does not wait, but undoes `prepare`.
    @inline(never)
    mutating func wait(rest: UInt64) {
        guard rest > 0, !isSteady else {
            bell.answer(wasRung: false)
            if rest > 0 {
                packet_socket_wait(nil, 0, moderation)
                isSteady = socket.pointee.hasFrame
            }
            return
        }
        var handles = (
            pollfd(fd: socket.pointee.receiver, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.handle, events: Int16(POLLIN), revents: 0)
        )
        let began = tsc_read()
        withUnsafeMutablePointer(to: &handles) { handles in
            handles.withMemoryRebound(to: pollfd.self, capacity: 2) {
                packet_socket_wait($0, 2, min(rest &+ patience, longest))
            }
        }
        bell.answer(wasRung: handles.1.revents != 0)
        guard handles.0.revents != 0 else { return }
        if handles.0.revents & Int16(POLLERR) != 0 { socket.pointee.clearError() }
        isSteady = tsc_read() &- began < moderationCycles
        if moderation > 0 { packet_socket_wait(nil, 0, moderation) }
    }
}
