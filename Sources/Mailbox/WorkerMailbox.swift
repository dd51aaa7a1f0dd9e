/// All that control and one worker share. Control makes it and frees it when the worker's thread is gone.
public struct WorkerMailbox: Sendable {
    /// Control to worker; a change of several commands becomes visible at `commit`.
    public let commands: Ring<Command>
    /// Worker to control.
    public let events: Ring<Event>
    /// Worker to control: datagrams for the slow path.
    public let punts: Ring<Datagram>
    /// Control to worker: the slow path's answers.
    public let replies: Ring<Datagram>
    /// Both ways: TURN.
    public let turn: TURNMailbox
    /// Both ways between the worker and the threads of control that read Taps.
    public let taps: TapReaders
    /// Worker to control.
    public let counters: Counters
    /// Rung by the worker after `events` and `punts`.
    public let controlBell: Doorbell

    /// `depth`: how many commands (and events) may wait. With `bells` each side can wake the other; without, it looks by
    /// itself. `taps`: for each thread that reads Taps.
    public init(
        depth: Int = 16_384, datagrams: Int = 512, taps: TapReaders = TapReaders(), bells: Bool = false
    ) {
        self.init(depth: depth, datagrams: datagrams, turn: TURNMailbox(bells: bells), taps: taps, bells: bells)
    }

    /// The same with TURN's rings as they are given.
    public init(
        depth: Int = 16_384, datagrams: Int = 512, turn: TURNMailbox, taps: TapReaders = TapReaders(),
        bells: Bool = false
    ) {
        self.turn = turn
        self.taps = taps
        controlBell = bells ? Doorbell() : .silent
        commands = Ring(capacity: depth)
        events = Ring(capacity: depth)
        punts = Ring(capacity: datagrams)
        replies = Ring(capacity: datagrams)
        counters = Counters()
    }

    /// Rung by whoever puts something into a ring to the worker.
    public var workerBell: Doorbell { turn.workerBell }

    /// Control: whether the worker has told something.
    public var hasNews: Bool { events.count > 0 || punts.count > 0 }

    public func deallocate() {
        commands.deallocate()
        events.deallocate()
        punts.deallocate()
        replies.deallocate()
        turn.deallocate()
        taps.deallocate()
        counters.deallocate()
        controlBell.deallocate()
    }
}
