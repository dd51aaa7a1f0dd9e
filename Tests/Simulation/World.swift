import Foundation
import Mailbox
import Testing
import Wire

@testable import Dataplane

/// EAL is started once in a process.
enum Environment {
    static let isReady: Bool = {
        do {
            try EAL.start(EAL.Configuration(hugepages: .never, memory: 512))
            return true
        } catch {
            Issue.record("EAL did not start: \(error)")
            return false
        }
    }()
}

/// Workers on one simulated port and on virtual time, with the peers around it.
final class World {
    static let step: UInt64 = 1_000_000
    static let mac = MACAddress(0x02_0000_0000_02)
    static let address = IPAddress("10.0.0.2")!
    static let addressV6 = IPAddress("fd00::2")!
    static let anycast = IPAddress("198.51.100.1")!
    static let anycastV6 = IPAddress("2001:db8:5::1")!
    static let mediaPort: UInt16 = 3478

    /// Of several worlds in one network; the first has the addresses above.
    let address: IPAddress
    let addressV6: IPAddress
    let pool: BufferPool
    let port: MemoryPort
    /// What the kernel would see, with an exception path.
    let kernel: MemoryPort
    let mailboxes: [WorkerMailbox]
    let mesh: HandoverMesh
    private let hasDirector: Bool
    private let workers: [UnsafeMutablePointer<Worker<MemoryQueue>>]
    private(set) var now: UInt64 = World.step
    var peers: [Peer] = []
    /// Workers that have no core for the time being.
    var held: Set<Int> = []
    /// Sees each frame that leaves the port.
    var onFrame: ([UInt8]) -> Void = { _ in }
    var events: [Event] = []
    var punts: [Datagram] = []
    var random: RandomSource
    /// Places handed out so far.
    private var generation: UInt32 = 0

    private static let names = Counting()

    /// `seed` decides everything random in it. With `queues` 1 only the first worker sees the port. `exceptionRate`: the
    /// frames a second that each worker passes to the kernel. `depth`: commands, and events, that may wait. With
    /// `hasDirector` what the workers tell is left to a director. `tapReaders`: threads that read Taps of each worker.
    init(
        workers count: Int = 1, seed: UInt64, inbound: MemoryPort.Link = .init(), outbound: MemoryPort.Link = .init(),
        buffers: Int = 8_191, relay: RelayConfiguration? = nil,
        capacity: Capacity = Capacity(sessions: 64, tracks: 128, slots: 512), allocations: Int = 64,
        depth: Int = 4_096, exceptionRate: Int = 0, hasDirector: Bool = false, tapReaders: Int = 0,
        tapCapacity: Int = 64, mtu: Int = 1_500, number: Int = 0
    ) throws {
        address = IPAddress("10.0.0.\(2 + number)")!
        addressV6 = IPAddress("fd00::\(2 + number)")!
        #expect(Environment.isReady)
        var capacity = capacity
        capacity.allocations = allocations
        self.hasDirector = hasDirector
        pool = try BufferPool(name: "world\(Self.names.next())", count: buffers)
        port = MemoryPort(queues: count, pool: pool, inbound: inbound, outbound: outbound, seed: seed, mtu: mtu)
        kernel = MemoryPort(pool: pool, seed: seed &+ 1)
        mailboxes = (0..<count).map { _ in
            WorkerMailbox(
                depth: depth, datagrams: 64, taps: TapReaders(count: tapReaders, capacity: tapCapacity))
        }
        mesh = HandoverMesh(workers: count)
        random = RandomSource(seed: seed)
        let host = HostConfiguration(
            mac: MACAddress(Self.mac.bits + UInt64(number)),
            interfaces: [
                .init(address: address, prefixLength: 24), .init(address: addressV6, prefixLength: 64),
            ], anycast: [Self.anycast, Self.anycastV6])
        workers = (0..<count).map { _ in .allocate(capacity: 1) }
        for number in 0..<count {
            workers[number].initialize(
                to: Worker(
                    configuration: WorkerConfiguration(
                        pop: 7, number: number, capacity: capacity, mediaPort: Self.mediaPort,
                        seed: seed &+ UInt64(number), ntpEpoch: 3_900_000_000 << 32,
                        relay: relay, exceptionRate: exceptionRate),
                    mailbox: mailboxes[number], siblings: mesh.siblings(of: number, transmitters: count), pool: pool,
                    queue: port.queue(number), host: host, engine: SRTPEngine(),
                    exception: exceptionRate > 0 && number == 0 ? kernel.queue() : nil))
        }
    }

    deinit {
        for worker in workers {
            worker.pointee.shutDown()
            worker.deinitialize(count: 1)
            worker.deallocate()
        }
        mesh.deallocate()
        // What is on its way in has no buffer yet.
        for port in [port, kernel] { _ = port.takeTransmitted() }
        #expect(pool.available == pool.count, "a packet buffer leaked")
        for mailbox in mailboxes { mailbox.deallocate() }
        pool.deallocate()
    }

    func worker(_ number: Int = 0) -> UnsafeMutablePointer<Worker<MemoryQueue>> { workers[number] }

    func nextGeneration() -> UInt32 {
        generation += 1
        return generation
    }

    /// Gives a worker commands; it takes them in its next turns.
    func command(_ worker: Int = 0, _ commands: Command...) {
        for command in commands { #expect(mailboxes[worker].commands.stage(command)) }
        mailboxes[worker].commands.commit()
    }

    /// Lets `milliseconds` of virtual time pass; every peer gets its turn each millisecond.
    func run(_ milliseconds: Int) {
        for _ in 0..<milliseconds { turn() }
    }

    /// Lets some virtual time pass at once, and everybody do what is due then.
    func turn(after span: UInt64 = World.step) {
        now += span
        port.advance(to: now)
        kernel.advance(to: now)
        for peer in peers { peer.turn(now) }
        // Some turns: a packet may cross workers twice.
        for _ in 0..<4 {
            for (number, worker) in workers.enumerated() where !held.contains(number) {
                while worker.pointee.turn(now: now) > 0 {}
            }
        }
        for frame in port.takeTransmitted() {
            onFrame(frame.bytes)
            deliver(frame.bytes)
        }
        guard !hasDirector else { return }
        for mailbox in mailboxes {
            while let event = mailbox.events.pop() { events.append(event) }
            while let punt = mailbox.punts.pop() { punts.append(punt) }
        }
    }

    /// Lets much time pass at once, in which nothing happens but what is due.
    func leap(seconds: Int) {
        now += UInt64(seconds) * 1_000_000_000
        run(1)
    }

    private func deliver(_ frame: [UInt8]) {
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes) else { return }
            for peer in peers where peer.endpoint == datagram.destination {
                peer.arrive(Array(datagram.payload), now)
            }
        }
    }

    /// Sends a UDP datagram to the port's media address, or to another of its own.
    func send(_ payload: [UInt8], from source: Endpoint, mac: MACAddress, queue: Int = 0, to address: IPAddress? = nil)
    {
        let destination = Endpoint(
            address: address ?? (source.address.isV4 ? self.address : addressV6), port: Self.mediaPort)
        let template = FrameTemplate(
            source: source, destination: destination, sourceMAC: mac, destinationMAC: Self.mac)
        var frame = [UInt8](repeating: 0, count: template.length) + payload
        frame.withUnsafeMutableBytes { template.write(into: $0.baseAddress!, payloadLength: payload.count) }
        port.deliver(frame, to: queue)
    }
}

/// Unique numbers for pool names; tests may run side by side.
final class Counting: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}
