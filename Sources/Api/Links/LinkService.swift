import Conference
import Fleet
import Logging
import Meetings
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The links of a PoP with the others of its fleet, over mutual TLS, and its part in the meetings that it shares with them.
///
/// It runs on one event loop, whose executor is the actor's: a peer that keeps it busy holds up other peers, and no client.
public actor LinkService<Body: MeetingBody>: LinkPlane {
    /// Why it does not start: one line.
    public struct Refusal: Error, CustomStringConvertible {
        public let description: String
    }

    /// How often silence, attempts and searches are looked at.
    private static var interval: TimeAmount { .milliseconds(100) }

    /// What happens, in order: for one reader, which has to read.
    public nonisolated let events = LinkEvents()
    private nonisolated let eventLoop: any EventLoop
    private nonisolated let configuration: LinkConfiguration
    private nonisolated let logger: Logger
    private let driver: LinkDriver<Body>
    private var listeners: [any Channel] = []
    private var ticker: RepeatedTask?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - pop: this start of the PoP, as the Registry knows it.
    ///   - registry: nil where the fleet is a fixed list.
    ///   - clock: the time since any one instant; it never goes back.
    public init(
        _ configuration: LinkConfiguration, pop: PoPInstance, registry: (any Registry)?, logger: Logger,
        utc: Int64 = SystemClock().utc.milliseconds,
        clock: @escaping @Sendable () -> Duration = { .nanoseconds(Int64(MonotonicClock.nanoseconds())) }
    ) {
        self.configuration = configuration
        self.logger = logger
        let eventLoop = LinkThread.group.next()
        self.eventLoop = eventLoop
        driver = LinkDriver(
            configuration, pop: pop, registry: registry, eventLoop: eventLoop, events: events, logger: logger, utc: utc,
            clock: clock)
    }

    // MARK: Its life

    /// Listens, and links with those who are wanted.
    ///
    /// - Returns: the ports of the listeners, in the configuration's order.
    /// - Throws: `Refusal`.
    @discardableResult
    public func start() async throws -> [Int] {
        let bound = NIOLoopBound(driver, eventLoop: eventLoop)
        events.setRelief { [eventLoop] in eventLoop.execute { bound.value.readOn() } }
        for listen in configuration.listen { listeners.append(try await bind(listen, bound)) }
        if !configuration.peers.isEmpty { driver.want(configuration.peers) }
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.interval) { [weak self] _ in
            self?.assumeIsolated { $0.driver.tick() }
        }
        return listeners.map { $0.localAddress?.port ?? 0 }
    }

    private func bind(_ listen: ApiConfiguration.Listen, _ driver: NIOLoopBound<LinkDriver<Body>>) async throws
        -> any Channel
    {
        do {
            let channel = try await ServerBootstrap(group: eventLoop)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try driver.value.accept(channel) }
                }
                .bind(host: listen.host, port: listen.port).get()
            await AcceptGuard.add(to: channel, "fleet", isServed: false, logger: logger)
            return channel
        } catch {
            throw Refusal(
                description: "cannot listen on \(listen.host) port \(listen.port): \(error): choose another "
                    + "fleet.listen, or end the program that has it")
        }
    }

    /// Says goodbye to all peers, and ends the events.
    public func stop() async {
        ticker?.cancel()
        ticker = nil
        for listener in listeners { try? await listener.close() }
        listeners = []
        driver.stop()
        events.finish()
    }

    // MARK: Links

    public func want(_ peers: [PoPName: [LinkAddress]]) { driver.want(peers) }

    /// A message of this PoP's media side for another's.
    ///
    /// - Returns: false where there is no link to it, or so much waits for it that the link ends: `closed` follows.
    @discardableResult
    public func send(trunk message: [UInt8], to peer: PoPName) -> Bool { driver.send(trunk: message, to: peer) }

    public var reading: LinkReading { driver.reading }

    /// Connections whose both sides have proved who they are.
    var connectionCount: Int { driver.channels.count }

    // MARK: Meetings

    /// Somebody here is in the meeting, or begins it. `leads` or `follows` comes, and `changed`.
    ///
    /// - Parameter epoch: where the Registry has just made this PoP its Home.
    public func open(_ meeting: MeetingID, number: MeetingNumber, granted epoch: UInt64? = nil) {
        driver.open(meeting, number: number, granted: epoch)
    }

    /// Nobody here is any more. The lease of a Home is released as soon as nobody elsewhere needs it.
    public func close(_ meeting: MeetingID) { driver.close(meeting) }

    /// The meeting was ended for all: whoever leads it behind a partition is told.
    func noteEnd(of meeting: MeetingID) { driver.exchange.noteEnd(of: meeting, at: driver.now) }

    /// This PoP is the standby of a meeting that `home` leads.
    func standBy(_ meeting: MeetingID, number: MeetingNumber, for home: PoPName) {
        driver.standBy(meeting, number: number, for: home)
    }

    /// Whether nobody here is in a meeting that stays.
    func setStandby(_ meeting: MeetingID, _ isStandby: Bool) { driver.setStandby(meeting, isStandby) }

    /// At a meeting's Home: wants the peer to be its standby, or no more.
    func askStandby(_ peer: PoPName, of meeting: MeetingID, _ isWanted: Bool) {
        driver.askStandby(peer, of: meeting, isWanted)
    }

    /// A client here wants a change; `done` or `refused` with this number follows.
    ///
    /// - Returns: nil where the meeting is not here, or too many wait.
    public func request(_ change: Body.Change, in meeting: MeetingID) -> UInt64? {
        driver.request(change, in: meeting)
    }

    /// The meeting as it is known here; nil where it is not open.
    public func replica(of meeting: MeetingID) -> MeetingReplica<Body>? { driver.exchange.replica(of: meeting) }

    public func branches(of meeting: MeetingID) -> Set<PoPName> { driver.exchange.branches(of: meeting) }

    public func isHome(of meeting: MeetingID) -> Bool { driver.exchange.isHome(of: meeting) }

    /// Whether changes of the meeting's Home come in.
    public func isSynced(_ meeting: MeetingID) -> Bool { driver.exchange.isSynced(meeting) }

    public var leases: [Lease] { driver.exchange.leases }

    public func leaseLost(_ meeting: MeetingID, to home: Home) {
        driver.exchange.leaseLost(meeting, to: home, at: driver.now)
        driver.workSoon()
    }
}

/// The thread of the process's links. It is never ended: who asks a service that has stopped is answered.
private enum LinkThread {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}

extension LinkService: Service {
    /// Until a graceful shutdown.
    public func run() async throws {
        do {
            try await start()
            try? await gracefulShutdown()
            await stop()
        } catch {
            await stop()
            throw error
        }
    }
}
