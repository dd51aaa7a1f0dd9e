/// The rings of TURN between control and one worker. Whoever handles TURN in control is the one producer and the one
/// consumer of control's ends, apart from whoever uses the other rings of the mailbox.
public struct TURNMailbox: Sendable {
    /// Worker to control: Allocate requests whose credentials are to be verified.
    public let requests: Ring<TURNRequest>
    /// Control to worker: the answers, and other orders.
    public let commands: Ring<TURNCommand>
    /// Worker to control: what became of allocations.
    public let events: Ring<TURNEvent>
    /// Control to worker: messages that came in over TCP and TLS connections.
    public let arrivals: Ring<TURNStreamMessage>
    /// Worker to control: messages to send over them. When it is full media is dropped, and counted.
    public let departures: Ring<TURNStreamMessage>
    /// Rung by whoever puts something into `commands` or `arrivals`, or into other rings to the worker.
    public let workerBell: Doorbell
    /// Rung by the worker after `requests` and `events`.
    public let controlBell: Doorbell

    /// `requests` may wait for control, `events` for its next look, `messages` in either direction of streams. Without
    /// `bells` either side looks by itself.
    public init(requests: Int = 1_024, events: Int = 8_192, messages: Int = 512, bells: Bool = false) {
        self.requests = Ring(capacity: requests)
        commands = Ring(capacity: requests)
        self.events = Ring(capacity: events)
        arrivals = Ring(capacity: messages)
        departures = Ring(capacity: messages)
        workerBell = bells ? Doorbell() : .silent
        controlBell = bells ? Doorbell() : .silent
    }

    /// Control: whether the worker has told something.
    public var hasNews: Bool { requests.count > 0 || events.count > 0 }

    public func deallocate() {
        requests.deallocate()
        commands.deallocate()
        events.deallocate()
        arrivals.deallocate()
        departures.deallocate()
        workerBell.deallocate()
        controlBell.deallocate()
    }
}
