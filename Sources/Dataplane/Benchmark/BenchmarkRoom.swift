import Mailbox
import Wire

/// A worker with participants, set up the way control and peers do it: by commands, connectivity checks and sealed
/// packets. One thread uses it.
struct BenchmarkRoom<Queue: PortQueue>: ~Copyable {
    let worker: UnsafeMutablePointer<Worker<Queue>>
    let mailbox: WorkerMailbox
    let pool: BufferPool
    let mac: MACAddress
    /// The worker's time, ns.
    var now: UInt64 = 1_000_000

    init(
        number: Int = 0, capacity: Capacity, cacheBudget: Int = 8_192, mesh: HandoverMesh, pool: BufferPool,
        queue: Queue, mac: MACAddress
    ) {
        self.pool = pool
        self.mac = mac
        mailbox = WorkerMailbox()
        let host = HostConfiguration(mac: mac, interfaces: [.init(address: BenchmarkPeer.us.address, prefixLength: 8)])
        worker = .allocate(capacity: 1)
        worker.initialize(
            to: Worker(
                configuration: WorkerConfiguration(
                    pop: 1, number: number, capacity: capacity, mediaPort: BenchmarkPeer.us.port, seed: 1,
                    ntpEpoch: 3_900_000_000 << 32, cacheBudget: cacheBudget),
                mailbox: mailbox, siblings: mesh.siblings(of: number, transmitters: mesh.workers), pool: pool,
                queue: queue, host: host, engine: SRTPEngine()))
    }

    deinit {
        worker.pointee.shutDown()
        worker.deinitialize(count: 1)
        worker.deallocate()
        mailbox.deallocate()
    }

    /// Gives the worker commands, and turns in which it takes them.
    mutating func command(_ commands: [Command]) {
        for command in commands {
            while !mailbox.commands.stage(command) { turn() }
        }
        mailbox.commands.commit()
        while mailbox.commands.count > 0 { turn() }
    }

    /// One turn at the next time that commands are taken.
    mutating func turn() {
        mailbox.commands.commit()
        now &+= HousekeepingSchedule.interval
        _ = worker.pointee.turn(now: now)
        forgetEvents()
    }

    func forgetEvents() { while mailbox.events.pop() != nil {} }

    /// Opens a Session, whose connectivity check makes it known to the flow table.
    mutating func join(_ peer: BenchmarkPeer, profile: SRTPProfile) throws(PortFailure) {
        command(peer.commands(profile: profile))
        guard let packet = pool.allocate() else { throw PortFailure("the pool has no buffers left for the load") }
        peer.writeCheck(into: packet)
        let before = worker.pointee.counters[.stunRequests]
        worker.pointee.classify(packet, now: now)
        worker.pointee.flush()
        guard worker.pointee.counters[.stunRequests] == before + 1 else {
            throw PortFailure("the worker refused a connectivity check")
        }
    }
}
