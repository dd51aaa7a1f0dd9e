import Agents
import Logging
import Mailbox
import Wire

/// The control side of TURN: verifies the credentials of Allocate requests that workers hand up, keeps the limits, and
/// tells the workers what to answer. Everything after that is the worker's.
public actor AllocationAdmission {
    /// Whether allocations are made now; where not, the server to try instead, if there is one.
    public enum Intake: Sendable, Equatable {
        case open
        case closed(alternate: Endpoint?)
    }

    /// What came of the requests so far.
    package struct Statistics: Equatable, Sendable {
        package var granted: UInt64 = 0
        package var failed: UInt64 = 0
        package var malformed: UInt64 = 0
        package var unauthorized: UInt64 = 0
        /// Refused for a limit of the user or the address: 486.
        package var overQuota: UInt64 = 0
        /// Refused for the node's limit, or as the node takes no newcomers: 508 or 300.
        package var overCapacity: UInt64 = 0
    }

    private let workers: [TURNMailbox]
    private let limits: AllocationLimits
    private let authenticator: TURNAuthenticator
    private let intake: @Sendable () -> Intake
    private let seconds: @Sendable () -> Int64
    private let logger: Logger
    private var ledger: AllocationLedger
    package private(set) var statistics = Statistics()

    /// - Parameters:
    ///   - intake: asked for each request with valid credentials.
    ///   - seconds: UTC since 1970, which time-limited credentials are held against.
    public init(
        workers: [TURNMailbox], limits: AllocationLimits, authenticator: TURNAuthenticator,
        intake: @escaping @Sendable () -> Intake, seconds: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.workers = workers
        self.limits = limits
        self.authenticator = authenticator
        self.intake = intake
        self.seconds = seconds
        self.logger = logger
        ledger = AllocationLedger(limits)
    }

    /// Allocations granted and not ended.
    package var allocations: Int { ledger.count }

    /// Answers until the task is cancelled: when a worker asks, and every 100 ms.
    public func run() async {
        let rounds = WorkerRounds(workers.map(\.controlBell), interval: .milliseconds(100))
        await rounds.run(hasNews: { workers.contains(where: \.hasNews) }, look: { poll() })
    }

    /// Hears every worker and answers what it asked.
    package func poll() {
        let now = seconds()
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
                _ = worker.commands.push(answer(request, now: now))
                worker.workerBell.ring()
            }
        }
    }

    private func take(_ event: TURNEvent) {
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

    private func answer(_ request: TURNRequest, now: Int64) -> TURNCommand {
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

    private func grant(_ request: TURNRequest, _ identity: TURNIdentity) -> TURNCommand {
        func refusal(_ code: UInt16, alternate: Endpoint? = nil) -> TURNCommand {
            .refuse(
                RefuseAllocation(
                    request, code: code, alternate: alternate, key: identity.key.bytes,
                    usesSHA256: identity.usesSHA256))
        }
        if case .closed(let alternate) = intake() {
            statistics.overCapacity += 1
            let other = alternate.flatMap { Self.canReach($0, request.client) ? $0 : nil }
            return refusal(other == nil ? 508 : 300, alternate: other)
        }
        let user = Self.number(of: identity.user)
        switch ledger.take(user: user, address: request.client.remote.address) {
        case nil:
            statistics.granted += 1
            return .grant(
                GrantAllocation(
                    request, key: identity.key.bytes, usesSHA256: identity.usesSHA256, user: user,
                    bandwidth: limits.bandwidth))
        case .user?, .address?:
            statistics.overQuota += 1
            return refusal(486)
        case .node?:
            statistics.overCapacity += 1
            return refusal(508)
        }
    }

    /// ALTERNATE-SERVER must be of the client's address family (RFC 8489 section 14.15), and a media address speaks UDP
    /// only.
    private static func canReach(_ server: Endpoint, _ client: TURNClient) -> Bool {
        client.transport == .udp && server.address.isV4 == client.remote.address.isV4
    }

    /// A user's number, as commands have a fixed size: a keyed hash, the same for this process only.
    private static func number(of user: [UInt8]) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(user)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
