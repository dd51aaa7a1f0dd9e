import CDPDK
import Mailbox
import Wire

/// A poll-mode worker: one RX and one TX queue of the Port, and all state of the Sessions homed on it.
///
/// Generic over its queue and specialised, it runs the same on a NIC and in a simulation on virtual time: `now` is
/// an argument (ns of a clock that starts near 0), never read. After `init` nothing here allocates.
/// What it does with packets and commands is in extensions, in files called `Worker+Something.swift`.
struct Worker<Queue: PortQueue & ~Copyable>: ~Copyable {
    /// Packets taken from the device at once.
    static var burst: Int { 32 }

    let configuration: WorkerConfiguration
    let mailbox: WorkerMailbox
    let siblings: Siblings
    let pool: BufferPool
    let engine: SRTPEngine
    let counters = LocalCounters()
    var queue: Queue
    var exception: ExceptionPath<Queue>
    var neighbors: NeighborResponder
    var outbox: Outbox
    var pending = PendingOpens()
    var fanOut = FanOut()
    var stock = BufferStock()
    var random: RandomSource

    var sessions: HandleTable<SessionKind, Session>
    var tracks: HandleTable<TrackKind, Track>
    var slots: HandleTable<SlotKind, Slot>
    var taps: HandleTable<TapKind, Tap>
    let tapOutlets: TapOutlets
    /// Endpoint to `SessionHandle.raw`, also of sessions on other workers.
    var flows: FlowTable
    /// SSRC to `SessionHandle.raw`, to find the Session of a peer whose address changed.
    var sources: FlowTable
    /// TURN.
    var relay: Relay
    var cascade: Cascade
    let slabs: WorkerSlabs
    let scratch: WorkerScratch
    /// Packets that wait for their Sessions' pacers, and the first of the Sessions that have any (`SessionCongestion.nextPaced`).
    var paced = IndexPool<PacedPacket>(capacity: Self.mostPaced)
    var firstPaced = Link.none
    /// Slots of all Sessions that show nothing for want of bandwidth.
    var pausedSlots = 0
    /// Packets that all retransmission caches keep.
    var cachedPackets = 0
    var housekeeping = HousekeepingSchedule()

    init(
        configuration: WorkerConfiguration, mailbox: WorkerMailbox, siblings: Siblings, pool: BufferPool,
        queue: consuming Queue, host: HostConfiguration, engine: consuming SRTPEngine,
        exception: consuming Queue? = nil
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.siblings = siblings
        self.pool = pool
        self.engine = engine
        self.queue = queue
        self.exception = ExceptionPath(queue: exception, rate: configuration.exceptionRate)
        random = RandomSource(seed: configuration.seed)
        neighbors = NeighborResponder(host)
        outbox = Outbox(mac: host.mac, transmitBurst: self.queue.transmitBurst)
        let capacity = configuration.capacity
        sessions = HandleTable(capacity: capacity.sessions)
        tracks = HandleTable(capacity: capacity.tracks)
        slots = HandleTable(capacity: capacity.slots)
        taps = HandleTable(capacity: max(capacity.taps, 1))
        tapOutlets = TapOutlets(mailbox.taps)
        flows = FlowTable(
            capacity: capacity.sessions * siblings.count * Session.maximumFlows, seed: (random.next(), random.next()))
        sources = FlowTable(
            capacity: capacity.sessions * siblings.count * ReceiveStreams.capacity / 2,
            seed: (random.next(), random.next()))
        relay = Relay(
            configuration.relay, mediaPort: configuration.mediaPort, capacity: capacity, number: configuration.number,
            workers: siblings.count, random: &random)
        cascade = Cascade(capacity, random: &random)
        slabs = WorkerSlabs(capacity)
        scratch = WorkerScratch(burst: Self.burst)
    }

    /// Frees what the tables refer to; the worker is not used after it.
    mutating func shutDown() {
        flush()
        for index in 0..<sessions.capacity where !sessions.handle(at: index).isNone {
            closeSession(sessions.handle(at: index), now: 0)
        }
        for index in 0..<cascade.lanes.capacity where !cascade.lanes.handle(at: index).isNone {
            closeLane(cascade.lanes.handle(at: index))
        }
        for index in 0..<tracks.capacity where !tracks.handle(at: index).isNone {
            closeTrack(tracks.handle(at: index))
        }
        flush()
        tapOutlets.shutDown()
        stock.empty()
        counters.publish(to: mailbox.counters)
        exception.shutDown()
        slabs.deallocate()
        scratch.deallocate()
    }

    /// One turn of the poll loop: takes what came in, forwards it, sends. Returns how many packets and
    /// messages there were, and one more when it sent something, so that the caller can pause when there is nothing
    /// to do (see `rest`).
    mutating func turn(now: UInt64) -> Int {
        relay.now = now
        let received = receive()
        let isBusy = received == Self.burst
        // After the device was read: what a sibling announced before its client could answer is known when the answer is classified.
        var work = received &+ takeHandovers(now: now)
        classifyBurst(received, now: now)
        work &+= takeStreams(now: now)
        work &+= keepHouse(now: now)
        work &+= exchangeWithKernel(now: now, isBusy: isBusy)
        if !outbox.isEmpty {
            flush()
            // Frames that the device did not take are no work, but keep the worker from resting.
            if outbox.isEmpty { work &+= 1 }
        }
        return work
    }

    /// Takes one burst from the device.
    private mutating func receive() -> Int {
        guard queue.hasReceive else { return 0 }
        let count = queue.receive(into: scratch.burst, capacity: Self.burst)
        guard count > 0 else { return 0 }
        counters.add(.receivedPackets, UInt64(truncatingIfNeeded: count))
        counters.noteBurst(count)
        if count <= 4 {
            for index in 0..<count { scratch.burst[index].prefetchFrame() }
        } else {
            for index in 0..<4 { scratch.burst[index].prefetchData() }
        }
        return count
    }

    /// Takes the burst of this turn through classification, opening and forwarding.
    private mutating func classifyBurst(_ count: Int, now: UInt64) {
        guard count > 0 else { return }
        for index in 0..<count {
            if index &+ 4 < count { scratch.burst[index &+ 4].prefetchData() }
            let packet = scratch.burst[index]
            counters.add(.receivedBytes, UInt64(truncatingIfNeeded: packet.length))
            classify(packet, now: now)
        }
        if !relay.batch.isEmpty { relayPending(now: now) }
        openPending(now: now)
        openLanePackets(now: now)
    }

    /// Sends all that was gathered and all that waits; nothing refers to packets, keys or headers after it.
    mutating func flush() {
        distribute()
        drain()
        outbox.freeRetired()
    }

    /// Seals and sends what waits in the Outbox.
    mutating func drain() {
        outbox.finishSeals(engine: engine, offload: queue.offload)
        if outbox.hasLooped { takeLoopedFrames(now: relay.now) }
        if queue.hasTransmit {
            outbox.transmit(&queue, counters: counters, now: relay.now)
        } else if let ring = siblings.outbound[siblings.transmitter] {
            outbox.handOver(to: ring, counters: counters)
        }
    }

    func flowKey(_ endpoint: Endpoint) -> FlowKey {
        FlowKey(remote: endpoint, localPort: configuration.mediaPort)
    }

    /// Tells control; a full ring loses it.
    func tell(_ event: Event) {
        if !mailbox.events.push(event) { counters.drop(.eventFull) }
    }

    func drop(_ packet: Mbuf, _ reason: DropReason) {
        counters.drop(reason)
        packet.free()
    }
}
