import Conference
import Fleet
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import Meetings
import NIOCore
import ServiceLifecycle
import Store

/// The control plane's two listeners: `api` (REST, signaling, the web client) and `ops` (health, metrics).
public struct ApiServer: Service {
    /// Which listener is up.
    public enum Listener: Sendable {
        case api, ops
    }

    private let configuration: ApiConfiguration
    private let media: any MediaPlane
    private let status: any NodeStatus
    private let drain: Drain
    private let clock: any ApiClock
    private let logger: Logger
    private let keys: ServiceKeys
    private let registry: (any Registry)?
    private let fleet: FleetSide?
    private let store: MeetingStore?
    private let onListening: @Sendable (Listener, _ port: Int) async -> Void

    /// - Parameters:
    ///   - keys: those of the services, when they may change; nil: those of the configuration.
    ///   - registry: of the configuration's fleet.
    ///   - fleet: what meetings are shared by with its other PoPs.
    ///   - store: where meetings last; of a PoP alone. Whoever opened it closes it behind the run.
    ///   - onListening: told once for each listener, with the port that it got.
    public init(
        configuration: ApiConfiguration, media: any MediaPlane, status: any NodeStatus, drain: Drain = Drain(),
        keys: ServiceKeys? = nil, registry: (any Registry)? = nil, fleet: FleetSide? = nil,
        store: MeetingStore? = nil,
        clock: any ApiClock = SystemClock(), logger: Logger,
        onListening: @escaping @Sendable (Listener, _ port: Int) async -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.media = media
        self.status = status
        self.drain = drain
        self.keys = keys ?? ServiceKeys(configuration.keys)
        self.registry = registry
        self.fleet = fleet
        self.store = store
        self.clock = clock
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown; then tells the participants, closes their sockets and returns.
    ///
    /// - Throws: `ApiConfiguration.Refusal`, `StoreRefusal`, and what binding the listeners throws.
    public func run() async throws {
        try configuration.validate()
        let admission = Admission(configuration.admission, places: status.capacity.sessions)
        let relay = RelayPulse()
        let links = links()
        let member = member(links)
        let sharing = sharing(links, member)
        let hub = MeetingHub(
            limits: configuration.limits, media: media, turn: configuration.turn, ownSocket: configuration.ownSocket,
            drain: drain, admission: admission, unattachedPerAddress: configuration.unattachedPerAddress, relay: relay,
            fleet: member, sharing: sharing, store: store, gatherTime: configuration.gatherTime, clock: clock,
            logger: logger)
        if let store { await hub.restore(try store.meetings()) }
        let certificates = configuration.listenerCertificates
        let observer = NodeObserver(
            identity: configuration.identity, status: status, hub: hub,
            health: NodeHealth(
                status: status, drain: drain, admission: admission, certificates: certificates, clock: clock),
            drain: drain, admission: admission, relay: relay, certificates: certificates, clock: clock)
        let connections = ConnectionCount(limit: configuration.connectionsPerAddress)
        let requests = ConnectionCount(limit: configuration.connectionsPerAddress, total: configuration.connections)
        let ends = ConnectionEnds()
        let tokens = TokenAuthority(keys: keys, clock: clock, development: developmentKey())
        // Those of a fleet leave it when all others have stopped.
        var fleet: [any Service] = []
        if let links, let sharing { fleet += [links, SharingService(sharing: sharing, hub: hub)] }
        if let member { fleet.append(FleetService(member: member, observer: observer)) }
        let services: [any Service] =
            fleet + [
                ops(observer, tokens, connections, requests, ends), api(hub, tokens, connections, requests, ends),
                HubService(hub: hub, media: media, observer: observer, logger: logger),
            ]
        // The last is stopped first: the participants are told while their sockets still are open.
        var group = ServiceGroupConfiguration(services: services, logger: logger)
        group.maximumGracefulShutdownDuration = configuration.shutdownTime
        try await ServiceGroup(configuration: group).run()
    }

    private func api(
        _ hub: MeetingHub, _ tokens: TokenAuthority, _ connections: ConnectionCount, _ requests: ConnectionCount,
        _ ends: ConnectionEnds
    ) -> some Service {
        let configuration = configuration
        let clock = clock
        let logger = logger
        let limiter = configuration.rateLimit.map { AddressLimiter($0) }
        let routes = MeetingRoutes(
            configuration: configuration, hub: hub, tokens: tokens, limiter: limiter, clock: clock)
        let router = ApiRouter.make(
            meetings: routes, tokens: tokens, webFolder: configuration.webFolder ?? WebClient.bundledFolder,
            logger: logger)
        let server = HTTPServerBuilder { responder in
            let plain = SignalingChannel(responder: responder, configuration: configuration, ends: ends) {
                socket, address in
                SignalingSession(
                    socket: socket, address: address, hub: hub, tokens: tokens, limiter: limiter,
                    limits: configuration.limits, clock: clock, logger: logger)
            }
            if let certificates = configuration.certificates {
                let secure = SecureChannel(plain, certificates: certificates, requests: requests)
                return CountedChannel(base: secure, count: connections, proxies: configuration.trustedProxies)
            }
            return CountedChannel(base: plain, count: connections, proxies: configuration.trustedProxies)
        }
        return Application(
            router: router, server: server,
            configuration: application(configuration.api, "api", connections: configuration.connections),
            onServerRunning: { await isUp(.api, $0) }, logger: logger)
    }

    private func ops(
        _ observer: NodeObserver, _ tokens: TokenAuthority, _ connections: ConnectionCount, _ requests: ConnectionCount,
        _ ends: ConnectionEnds
    ) -> some Service {
        let gate = OperatorGate(listen: configuration.ops, tokens: tokens)
        let node = NodeRoutes(configuration: configuration, observer: observer, gate: gate)
        let webhooks = WebhookRoutes(store: store, gate: gate, clock: clock)
        return Application(
            router: OpsRouter(
                observer: observer, node: node, webhooks: webhooks, connections: connections, requests: requests,
                ends: ends
            ).make(),
            server: HTTPServerBuilder { [configuration] responder in
                PlainChannel(base: HTTP1Channel(responder: responder, configuration: Self.plain(configuration)))
            },
            configuration: application(configuration.ops, "ops", connections: configuration.opsConnections),
            onServerRunning: { await isUp(.ops, $0) }, logger: logger)
    }

    private func links() -> LinkService<SharedMeeting>? {
        guard let links = configuration.fleet?.links, let fleet else { return nil }
        return LinkService(links, pop: fleet.instance, registry: registry, logger: logger)
    }

    private func member(_ links: LinkService<SharedMeeting>?) -> FleetMember? {
        guard let section = configuration.fleet, let registry else { return nil }
        return FleetMember(
            section, identity: configuration.identity, origins: configuration.fleetOrigins, registry: registry,
            links: links, trunks: links == nil ? nil : fleet?.trunks, clock: clock, logger: logger)
    }

    private func sharing(_ links: LinkService<SharedMeeting>?, _ member: FleetMember?) -> MeetingSharing? {
        guard let links, let member, let fleet else { return nil }
        return MeetingSharing(
            links: links, trunks: fleet.trunks, member: member, instance: fleet.instance, clock: clock)
    }

    private static func plain(_ configuration: ApiConfiguration) -> HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [EarlyAnswer(), AnswerGuard(), ExchangeTimer(configuration)],
            idleTimeout: .seconds(30),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: ApiConfiguration.headerLimit,
                maxHeaderListSize: ApiConfiguration.headerLimit,
                maxHeaderFieldCount: ApiConfiguration.headerFieldLimit))
    }

    /// Health and metrics are answered when nothing else is.
    private func isUp(_ listener: Listener, _ channel: any Channel) async {
        await AcceptGuard.add(to: channel, "\(listener)", isServed: listener == .ops, logger: logger)
        await onListening(listener, channel.localAddress?.port ?? 0)
    }

    private func application(
        _ listen: ApiConfiguration.Listen, _ name: String, connections: Int
    ) -> ApplicationConfiguration {
        ApplicationConfiguration(
            address: .hostname(listen.host, port: listen.port),
            availableConnectionsDelegate: ConnectionLimit(connections, of: name, clock: clock, logger: logger))
    }

    /// The key that `--dev` makes on start. It is printed, as whoever develops against it needs it.
    private func developmentKey() -> ApiConfiguration.Key? {
        guard configuration.isDevelopment else { return nil }
        let secret = Secret.random(length: 32)
        print("development API key: id dev, secret \(secret)")
        // At once, also to a file or a pipe.
        fflush(nil)
        return ApiConfiguration.Key(id: "dev", secret: Array(secret.utf8))
    }
}

extension ApiServer: CustomStringConvertible {
    /// For the log, in which the configuration's secrets have no place.
    public var description: String { "ApiServer" }
}

/// The hub's own life: reads the media side, sweeps, and says good-bye.
struct HubService: Service {
    let hub: MeetingHub
    let media: any MediaPlane
    let observer: NodeObserver
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await update in media.updates { await hub.take(update) }
            }
            group.addTask {
                for await change in hub.drain.changes { await hub.take(change) }
            }
            await tick()
            group.cancelAll()
        }
        await hub.shutDown()
    }

    /// Until a graceful shutdown or a cancellation.
    private func tick() async {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await observer.clock.sleep(for: .seconds(1))
                await observer.look()
                takeCertificates()
                await hub.sweep()
                await hub.endDrainWhenDue()
            }
        }
    }

    /// What was renewed is used for the next connection.
    private func takeCertificates() {
        for certificate in observer.certificates {
            let listener: Logger.MetadataValue = "\(certificate.listener)"
            do {
                guard try certificate.store.reload() else { continue }
                logger.notice("certificate read again", metadata: ["listener": listener])
            } catch {
                logger.error(
                    "certificate not taken, the old one stays", metadata: ["listener": listener, "error": "\(error)"])
            }
        }
    }
}
