import Agents
import Logging
import Mailbox
import ServiceLifecycle
import Wire

/// The control side of TURN: verifies the credentials of Allocate requests that workers hand up, keeps the limits, and
/// tells the workers what to answer. Everything after that is the worker's.
public actor TurnDesk: Service {
    /// What came of the requests so far.
    struct Statistics: Equatable {
        var granted: UInt64 = 0
        var failed: UInt64 = 0
        var malformed: UInt64 = 0
        var unauthorized: UInt64 = 0
        /// Refused for a limit of the user or the address: 486.
        var overQuota: UInt64 = 0
        /// Refused for the node's limit, or as the node takes no newcomers: 508 or 300.
        var overCapacity: UInt64 = 0
    }

    private let workers: [TurnMailbox]
    private let configuration: TurnConfiguration
    private let authenticator: TurnAuthenticator
    private let drain: Drain
    private let clock: any ApiClock
    private let logger: Logger
    private var ledger: AllocationLedger
    private(set) var statistics = Statistics()

    public init(
        workers: [TurnMailbox], configuration: TurnConfiguration, drain: Drain = Drain(),
        clock: any ApiClock = SystemClock(), logger: Logger
    ) {
        self.workers = workers
        self.configuration = configuration
        self.drain = drain
        self.clock = clock
        self.logger = logger
        authenticator = configuration.authenticator
        ledger = AllocationLedger(configuration.limits)
    }

    /// Allocations granted and not ended.
    var allocations: Int { ledger.count }

    /// Answers until told to stop: when a worker asks, and now and then.
    public func run() async {
        let rounds = WorkerRounds(workers.map(\.controlBell), interval: .milliseconds(100))
        await cancelWhenGracefulShutdown {
            await rounds.run(hasNews: { self.workers.contains(where: \.hasNews) }, look: { await self.poll() })
        }
    }

    /// Hears every worker and answers what it asked.
    func poll() {
        let now = clock.now
        for worker in workers {
            // What ended makes room for what is asked.
            for _ in 0..<worker.events.count {
                guard let event = worker.events.pop() else { break }
                take(event)
            }
            for _ in 0..<worker.requests.count {
                // A request is taken only when its answer has a place.
                guard worker.commands.count < worker.commands.capacity, let request = worker.requests.pop() else {
                    break
                }
                _ = worker.commands.push(answer(request, now: Int64(now.seconds)))
                worker.workerBell.ring()
            }
        }
    }

    private func take(_ event: TurnEvent) {
        switch event {
        case .allocationOpened: break
        case .allocationFailed(let user, let client, let code):
            statistics.failed += 1
            logger.debug("allocation failed", metadata: ["client": "\(client.remote)", "code": "\(code)"])
            ledger.giveBack(user: user, address: client.remote.address)
        case .allocationClosed(_, let user, let client, let reason):
            logger.debug("allocation ended", metadata: ["client": "\(client.remote)", "reason": "\(reason)"])
            ledger.giveBack(user: user, address: client.remote.address)
        }
    }

    private func answer(_ request: TurnRequest, now: Int64) -> TurnCommand {
        let checked = request.bytes.span.withUnsafeBytes { bytes in
            authenticator.check(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(request.count))), now: now)
        }
        switch checked {
        case .failure(.malformed):
            statistics.malformed += 1
            return .refuse(RefuseAllocation(request, code: 400))
        case .failure(.unauthorized):
            statistics.unauthorized += 1
            return .refuse(RefuseAllocation(request, code: 401))
        case .success(let identity): return grant(request, identity)
        }
    }

    private func grant(_ request: TurnRequest, _ identity: TurnIdentity) -> TurnCommand {
        func refusal(_ code: UInt16, alternate: Endpoint? = nil) -> TurnCommand {
            .refuse(
                RefuseAllocation(
                    request, code: code, alternate: alternate, key: identity.key.bytes,
                    usesSHA256: identity.usesSHA256))
        }
        guard drain.acceptsAllocations else {
            statistics.overCapacity += 1
            let other = alternate(for: request.client)
            return refusal(other == nil ? 508 : 300, alternate: other)
        }
        let user = Self.number(of: identity.user)
        switch ledger.take(user: user, address: request.client.remote.address) {
        case nil:
            statistics.granted += 1
            return .grant(
                GrantAllocation(
                    request, key: identity.key.bytes, usesSHA256: identity.usesSHA256, user: user,
                    bandwidth: configuration.limits.bandwidth))
        case .user?, .address?:
            statistics.overQuota += 1
            return refusal(486)
        case .node?:
            statistics.overCapacity += 1
            return refusal(508)
        }
    }

    /// Where a drain sends newcomers, if clients of this kind can go there: ALTERNATE-SERVER must be of the client's
    /// address family (RFC 8489 section 14.15), and a media address speaks UDP only.
    private func alternate(for client: TurnClient) -> Endpoint? {
        guard client.transport == .udp, let server = drain.state.target.flatMap({ Endpoint($0.mediaServer) }),
            server.address.isV4 == client.remote.address.isV4
        else { return nil }
        return server
    }

    /// A user's number, as commands have a fixed size: a keyed hash, the same for this process only.
    private static func number(of user: [UInt8]) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(user)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
