import Mailbox
import Synchronization
import Wire

/// A worker on its core, from start to join.
public final class WorkerThread: Sendable {
    private let thread: PinnedThread
    private let isStopping: Box

    private final class Box: Sendable {
        let flag = Atomic(false)
    }

    /// Starts a worker on `port`. Its tables are made on its own thread, so that they lie near its core. `core` nil:
    /// wherever the system puts it. `exception`: the kernel's interface, which the first worker serves.
    public init(
        _ configuration: WorkerConfiguration, core: Int?, idle: IdlePolicy, mailbox: WorkerMailbox,
        mesh: HandoverMesh, port: DPDKPort, host: HostConfiguration, clock: CycleClock,
        exception: DPDKPort? = nil
    ) throws(PortFailure) {
        let isStopping = Box()
        self.isStopping = isStopping
        let number = configuration.number
        thread = try PinnedThread(name: "worker-\(number)", core: core) {
            var worker = Worker(
                configuration: configuration, mailbox: mailbox,
                siblings: mesh.siblings(of: number, transmitters: port.queueCount),
                pool: port.pool(ofWorker: number), queue: port.queue(ofWorker: number), host: host,
                engine: SRTPEngine(), exception: number == 0 ? exception?.queue(ofWorker: 0) : nil)
            worker.announce()
            Self.loop(&worker, idle: idle, clock: clock, isStopping: isStopping)
            worker.shutDown()
        }
    }

    private static func loop(
        _ worker: inout Worker<DPDKQueue>, idle: IdlePolicy, clock: CycleClock, isStopping: Box
    ) {
        var idle = idle
        var wait = frameWait(worker, idle: idle, clock: clock)
        var bells = ControlBells()
        // A full turn takes well under a millisecond; whatever takes longer than this was not the worker's doing.
        let longestRest = wait == nil ? UInt64(idle.longestSleep) : HousekeepingSchedule.patience / 1_000 &+ 1_000
        let stall = clock.frequency / 200 &+ longestRest &* clock.frequency / 1_000_000
        var began = clock.cycles()
        var runningDue = began
        while !isStopping.flag.load(ordering: .relaxed) {
            let forwarded = worker.counters[.forwardedPackets]
            let work = worker.turn(now: clock.nanoseconds(began &- clock.origin))
            let worked = clock.cycles()
            if work > 0 {
                worker.counters.add(.busyCycles, worked &- began)
                let packets = worker.counters[.forwardedPackets] &- forwarded
                if packets > 0 {
                    worker.counters.noteForward(nanoseconds: clock.nanoseconds(worked &- began), packets: packets)
                }
                idle.reset()
                wait?.reset()
            } else {
                Self.endEmptyTurn(&worker, idle: &idle, wait: &wait, clock: clock, now: worked)
            }
            bells.ring(worker.mailbox)
            let ended = clock.cycles()
            worker.counters.add(.totalCycles, ended &- began)
            worker.counters.add(.turns)
            if ended &- began > stall {
                worker.counters.add(.stalledNanoseconds, clock.nanoseconds(ended &- began))
            }
            if ended >= runningDue {
                runningDue = ended &+ clock.frequency / 50
                worker.counters.set(.runningCycles, clock.cycles(ofNanoseconds: PinnedThread.runningTime))
            }
            began = ended
        }
    }

    /// Nil where the worker polls, or sleeps by the clock.
    private static func frameWait(_ worker: borrowing Worker<DPDKQueue>, idle: IdlePolicy, clock: CycleClock)
        -> FrameWait?
    {
        guard idle.sleeps, let socket = worker.queue.socket else { return nil }
        // Other workers and the kernel's interface ring no bell.
        let isAlone = worker.siblings.count == 1 && !worker.exception.isOpen
        return FrameWait(socket, bell: worker.mailbox.workerBell, idle: idle, isAlone: isAlone, clock: clock)
    }

    /// Rests after a turn that found nothing.
    @inline(__always)
    private static func endEmptyTurn(
        _ worker: inout Worker<DPDKQueue>, idle: inout IdlePolicy, wait: inout FrameWait?, clock: CycleClock,
        now: UInt64
    ) {
        let rest = worker.rest(now: clock.nanoseconds(now &- clock.origin))
        guard wait != nil else { return idle.endTurn(rest: rest) }
        guard rest > 0, wait!.isDue() else { return }
        wait!.prepare()
        wait!.wait(rest: worker.rest(now: clock.nanoseconds(now &- clock.origin)))
    }

    /// Ends the loop after its present turn and waits for the thread.
    public func stop() {
        isStopping.flag.store(true, ordering: .relaxed)
        thread.join()
    }
}
