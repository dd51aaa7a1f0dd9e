import Fleet
import Glibc
import Logging

/// What a client's thread does: connects, serves the calls of the queue until the connection breaks, connects again.
final class RedisLoop {
    private let configuration: RedisConfiguration
    private let queue: RedisQueue
    private let logger: Logger
    private var generator: any RandomNumberGenerator
    private let onChange: @Sendable (Bool) -> Void
    private var backoff = Backoff()
    private var wasEverSaid = false

    init(
        _ configuration: RedisConfiguration, queue: RedisQueue, logger: Logger,
        generator: any RandomNumberGenerator, onChange: @escaping @Sendable (Bool) -> Void
    ) {
        self.configuration = configuration
        self.queue = queue
        self.logger = logger
        self.generator = generator
        self.onChange = onChange
    }

    func run() {
        while !queue.isStopped {
            do {
                let (connection, address) = try connect()
                goUp(address)
                let start = ContinuousClock.now
                defer { if ContinuousClock.now - start > backoff.limit { backoff.reset() } }
                try serve(connection)
            } catch {
                goDown(error.reason)
            }
            pause(backoff.next(using: &generator))
        }
        _ = queue.goDown("stopped")
    }

    /// The first address that takes us and is no replica.
    private func connect() throws(ConnectionFailure) -> (RedisConnection, RedisAddress) {
        var reasons: [String] = []
        for address in configuration.addresses where !queue.isStopped {
            do {
                return (try RedisConnection(address, configuration), address)
            } catch {
                reasons.append("\(address): \(error.reason)")
            }
        }
        throw ConnectionFailure(reason: reasons.isEmpty ? "no address" : reasons.joined(separator: "; "))
    }

    private func goUp(_ address: RedisAddress) {
        queue.goUp()
        wasEverSaid = true
        logger.info("The fleet's registry is there", metadata: ["address": "\(address)"])
        onChange(true)
    }

    /// Said when it was up, and once at the start.
    private func goDown(_ reason: String) {
        let wasUp = queue.goDown(reason)
        guard wasUp || !wasEverSaid, !queue.isStopped else { return }
        wasEverSaid = true
        logger.warning("The fleet's registry cannot be reached", metadata: ["reason": "\(reason)"])
        onChange(false)
    }

    /// Waits; a client that stops ends it.
    private func pause(_ time: Duration) {
        let end = ContinuousClock.now + time
        while !queue.isStopped {
            let left = milliseconds(until: end)
            guard left > 0 else { return }
            var wanted = [pollfd(fd: queue.wake, events: Int16(POLLIN), revents: 0)]
            poll(&wanted, 1, left)
            // While it is down nothing waits in the queue; this takes only the signal.
            for call in queue.take() { call.answer(.failure(.unavailable("not connected"))) }
        }
    }

    /// Ends by throwing, or when the client stops.
    private func serve(_ connection: RedisConnection) throws(ConnectionFailure) {
        var waiting = CallsInFlight(queue)
        defer { waiting.failAll() }
        var nextPing = ContinuousClock.now + configuration.pingInterval
        while !queue.isStopped {
            var calls = queue.take()
            if calls.isEmpty, waiting.isEmpty, ContinuousClock.now >= nextPing {
                calls.append(ping())
                queue.startOne()
            }
            for call in calls { waiting.append(call) }
            for call in calls { try connection.socket.append(call.command.bytes) }
            try connection.socket.flush()
            let deadline = waiting.deadline ?? nextPing
            let isReadable = try wait(connection.socket, until: deadline)
            if isReadable {
                try connection.receive()
                while let reply = try connection.nextReply() { try waiting.answer(reply) }
                nextPing = .now + configuration.pingInterval
            }
            if let deadline = waiting.deadline, ContinuousClock.now >= deadline {
                throw ConnectionFailure(reason: "no answer in \(configuration.commandTimeout)")
            }
        }
    }

    private func ping() -> RedisQueue.Call {
        .init(command: RedisCommand("PING"), deadline: .now + configuration.commandTimeout, answer: { _ in })
    }

    /// Waits for the socket or the queue.
    ///
    /// - Returns: whether there is something to read.
    private func wait(
        _ socket: RedisSocket, until deadline: ContinuousClock.Instant
    ) throws(ConnectionFailure) -> Bool {
        let events = Int16(POLLIN) | (socket.hasOutput ? Int16(POLLOUT) : 0)
        var wanted = [
            pollfd(fd: socket.descriptor, events: events, revents: 0),
            pollfd(fd: queue.wake, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&wanted, 2, milliseconds(until: deadline)) >= 0 || errno == EINTR else {
            throw ConnectionFailure(reason: errorText(errno))
        }
        return wanted[0].revents & ~Int16(POLLOUT) != 0
    }
}

/// The calls that were sent, in the order in which Redis answers them.
private struct CallsInFlight {
    private let queue: RedisQueue
    private var calls: [RedisQueue.Call?] = []
    private var first = 0

    init(_ queue: RedisQueue) { self.queue = queue }

    var isEmpty: Bool { first == calls.count }
    /// When the oldest must be answered.
    var deadline: ContinuousClock.Instant? { isEmpty ? nil : calls[first]?.deadline }

    mutating func append(_ call: RedisQueue.Call) { calls.append(call) }

    mutating func answer(_ reply: RedisReply) throws(ConnectionFailure) {
        guard !isEmpty, let call = calls[first] else { throw ConnectionFailure(reason: "an answer to nothing") }
        calls[first] = nil
        first += 1
        if isEmpty { (calls, first) = ([], 0) }
        queue.finishOne()
        if case .error(let text) = reply, let reason = RedisConnection.unfit(text) {
            call.answer(.failure(.unavailable(reason)))
            throw ConnectionFailure(reason: reason)
        }
        call.answer(.success(reply))
    }

    /// What was sent may have been done.
    mutating func failAll() {
        for case let call? in calls[first...] { call.answer(.failure(.unanswered)) }
        calls = []
        first = 0
    }
}
