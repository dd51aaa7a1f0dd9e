import Conference
import Mailbox
import NIOCore
import Wire

/// Carries messages between the workers' rings and the connections of TURN clients. It and all it holds live on one event
/// loop, which is the one producer and the one consumer of control's ends of those rings.
final class TURNBridge {
    /// Why a message of a stream went nowhere.
    enum Drop: CaseIterable {
        /// The client does not read: media was dropped.
        case slowReader
        /// The worker does not keep up.
        case workerFull
        /// The connection had ended.
        case gone
        /// The client sent more than a packet can hold.
        case oversize
    }

    /// How often the workers are listened to while there are connections.
    private static let interval = TimeAmount.milliseconds(1)
    /// How long a connection may be without an allocation, and without a word after it had one (the longest lifetime of an
    /// allocation, and some).
    private static let newcomerPatience = TimeAmount.seconds(30)
    private static let patience = TimeAmount.seconds(3_900)
    /// Requests that may wait for a worker, of all connections together.
    private static let backlogLimit = 256

    private let workers: [TURNMailbox]
    private let eventLoop: any EventLoop
    private let gauge: TURNStreamGauge
    private let limit: Int
    private var sites: Tally<IPAddress>
    private var streams: [UInt64: TURNStream] = [:]
    /// What did not fit into a worker's ring and must not be lost: requests, and ends of connections.
    private var backlog: [[TURNStreamMessage]]
    private var lastConnection: UInt64 = 0
    private var isPolling = false
    private var nextSweep = NIODeadline.now()

    init(workers: [TURNMailbox], limits: AllocationLimits, gauge: TURNStreamGauge, eventLoop: any EventLoop) {
        self.workers = workers
        self.eventLoop = eventLoop
        self.gauge = gauge
        limit = limits.streams
        sites = Tally(limit: limits.streamsPerAddress)
        backlog = workers.map { _ in [] }
    }

    var count: Int { streams.count }

    // MARK: connections

    /// Names the connection and gives it to a worker for its life; nil when there are too many.
    func open(_ stream: TURNStream, transport: TURNTransport, remote: Endpoint, local: Endpoint) -> TURNClient? {
        // Ends that a worker was not told yet count as connections.
        guard streams.count + backlog.reduce(0, { $0 + $1.count }) < limit,
            sites.hasRoom(for: remote.address.subscriber)
        else {
            gauge.countRefusal()
            return nil
        }
        sites.add(remote.address.subscriber)
        lastConnection += 1
        streams[lastConnection] = stream
        gauge.setCount(streams.count)
        if !isPolling { schedule() }
        return TURNClient(stream: lastConnection, transport: transport, remote: remote, local: local)
    }

    func close(_ client: TURNClient) {
        guard let connection = client.connection, streams.removeValue(forKey: connection) != nil else { return }
        sites.remove(client.remote.address.subscriber)
        gauge.setCount(streams.count)
        put(TURNStreamMessage(client, closed: true), on: worker(of: client))
    }

    func closeAll() { for stream in Array(streams.values) { stream.close() } }

    /// The same for all connections of an address: a reserved port (RFC 8656 section 18.7) is asked for on another
    /// connection than the one that reserved it, and is the worker's that reserved it.
    private func worker(of client: TURNClient) -> Int {
        let address = client.remote.address.subscriber
        // Fibonacci hashing: the upper bits are mixed well.
        let hash = (address.high ^ address.low) &* 0x9e37_79b9_7f4a_7c15
        return Int(hash >> 32 % UInt64(workers.count))
    }

    // MARK: to the workers

    /// Hands a client's message to its worker. When the worker's ring is full media is dropped; requests wait, as nobody
    /// repeats what was sent over TCP.
    func pass(_ message: TURNStreamMessage) {
        let worker = worker(of: message.client)
        let type = message.bytes[0]
        // ChannelData, or a Send indication.
        let isMedia = type >> 6 == 1 || (type == 0x00 && message.bytes[1] == 0x16)
        if isMedia {
            // Behind what waits: a channel is bound before it is used.
            guard backlog[worker].isEmpty, push(message, to: worker) else { return countDrop(.workerFull) }
        } else if backlog[worker].count < Self.backlogLimit {
            put(message, on: worker)
        } else {
            countDrop(.workerFull)
        }
    }

    private func put(_ message: TURNStreamMessage, on worker: Int) {
        if backlog[worker].isEmpty, push(message, to: worker) { return }
        backlog[worker].append(message)
    }

    private func push(_ message: TURNStreamMessage, to worker: Int) -> Bool {
        guard workers[worker].arrivals.push(message) else { return false }
        workers[worker].workerBell.ring()
        return true
    }

    func countDrop(_ reason: Drop) { gauge.count(reason) }

    // MARK: from the workers

    private func schedule() {
        isPolling = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.interval) {
            self.poll(now: .now())
            // Ends of connections are told before the bridge rests.
            if self.streams.isEmpty, self.backlog.allSatisfy(\.isEmpty) {
                self.isPolling = false
            } else {
                self.schedule()
            }
        }
    }

    func poll(now: NIODeadline) {
        for index in workers.indices {
            relieve(index)
            hear(workers[index])
        }
        if now >= nextSweep {
            nextSweep = now + .seconds(5)
            sweep(now)
        }
    }

    private func relieve(_ worker: Int) {
        guard !backlog[worker].isEmpty else { return }
        let delivered = backlog[worker].prefix { push($0, to: worker) }.count
        backlog[worker].removeFirst(delivered)
    }

    private func hear(_ worker: TURNMailbox) {
        var written: [TURNStream] = []
        for _ in 0..<worker.departures.count {
            guard let message = worker.departures.pop() else { break }
            guard let stream = message.client.connection.flatMap({ streams[$0] }) else {
                if !message.closed { countDrop(.gone) }
                continue
            }
            stream.deliver(message)
            if written.last !== stream { written.append(stream) }
        }
        for stream in written { stream.flush() }
    }

    /// Ends connections that nobody uses.
    private func sweep(_ now: NIODeadline) {
        for stream in Array(streams.values) {
            let patience = stream.hasAllocation ? Self.patience : Self.newcomerPatience
            if now >= stream.lastHeard + patience { stream.close() }
        }
    }
}
