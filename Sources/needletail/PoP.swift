import Agents
import Api
import Conference
import Dataplane
import Fleet
import Foundation
import Logging
import Mailbox
import Redis
import ServiceLifecycle
import Store
import Wire

/// One PoP: the port, its workers, and the control plane above them, started and stopped in order.
struct PoP {
    private let configuration: NodeConfiguration
    private let logger: Logger

    init(_ configuration: NodeConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Serves until SIGTERM (after a drain) or SIGINT (at once). Throws what the operator must mend, before anything is left behind.
    func run() async throws {
        let claim = try Claim(configuration)
        defer { claim.release() }
        let store = try configuration.storePath.map { path in
            let endpoints = configuration.webhooks?.endpoints ?? []
            return try MeetingStore(path: path, webhooks: endpoints.map(\.subscription), logger: logger)
        }
        let workers = try WorkerSet(configuration, logger: logger)
        let result: Result<Void, any Error>
        do {
            // Those that the port and the workers need are open now.
            let pop = try PoP(DescriptorPlan.fit(configuration, logger: logger), logger: logger)
            try await pop.serve(workers, store)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        workers.stop()
        await store?.close()
        logger.info("stopped")
        try result.get()
    }

    private func serve(_ workers: WorkerSet, _ store: MeetingStore?) async throws {
        var options = MediaDirector.Options()
        options.videoCodecs = configuration.codecs
        let director = MediaDirector(
            workers: workers.mailboxes, capacity: configuration.capacity, pop: configuration.pop,
            certificate: try Certificate(
                profiles: configuration.profiles, notBefore: Int(Date().timeIntervalSince1970) - 86_400),
            candidates: configuration.announced.map { Endpoint(address: $0, port: configuration.mediaPort) },
            options: options, logger: logger)
        let drain = Drain()
        let keys = ServiceKeys(configuration.api.keys)
        let gauge = TURNStreamGauge()
        let kernel = workers.kernel.map { KernelGuard($0, logger: logger) }
        let status = Status(workers, capacity: configuration.capacity, turnStreams: gauge, kernel: kernel)
        let notifier = NotifySocket().map { ServiceNotifier($0, drain: drain, status: status) }
        let instance = instance()
        let api = ApiServer(
            configuration: configuration.api, media: director, status: status, drain: drain, keys: keys,
            registry: registry(instance), fleet: instance.map { FleetSide(instance: $0, trunks: director) },
            store: store, logger: logger
        ) { [logger] listener, port in
            logger.info("listening", metadata: ["listener": "\(listener)", "port": "\(port)"])
            notifier?.listening()
        }
        let turn = relay(workers, drain: drain, gauge: gauge)
        // The API is stopped first: the participants are told while their sessions still are open.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: ControlLoop { await director.run() }, successTerminationBehavior: .ignore)
        ]
        services += turn
        services += [
            .init(service: api),
            .init(
                service: StopService(drain: drain, patience: configuration.api.drainTime, logger: logger),
                successTerminationBehavior: .gracefullyShutdownGroup),
        ]
        services.append(
            .init(
                service: ReloadService(configuration, keys: keys, logger: logger),
                successTerminationBehavior: .ignore))
        if let kernel { services.append(.init(service: kernel, successTerminationBehavior: .ignore)) }
        // Stopped behind the API: it still delivers that everybody has left.
        if let section = configuration.webhooks, let store {
            services.insert(.init(service: WebhookService(section, store: store, logger: logger)), at: 0)
        }
        if let notifier { services.insert(.init(service: notifier), at: 0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigint], logger: logger))
        try await group.run()
    }
}

extension PoP {
    /// That of the fleet; nil for a PoP alone.
    private func registry(_ instance: PoPInstance?) -> (any Registry)? {
        guard let redis = configuration.fleet?.redis, let instance else { return nil }
        return RedisRegistry(redis, as: instance, logger: logger)
    }

    /// This start of the PoP, for its fleet.
    private func instance() -> PoPInstance? {
        var generator = SystemRandomNumberGenerator()
        return configuration.fleet.map { PoPInstance(name: $0.api.name, using: &generator) }
    }

    /// The control side of TURN; nothing without a relay.
    private func relay(
        _ workers: WorkerSet, drain: Drain, gauge: TURNStreamGauge
    ) -> [ServiceGroupConfiguration.ServiceConfiguration] {
        guard let turn = configuration.turn?.control else { return [] }
        let rings = workers.mailboxes.map(\.turn)
        let clock = SystemClock()
        let admission = AllocationAdmission(
            workers: rings, limits: turn.limits, authenticator: turn.authenticator, intake: { drain.intake },
            seconds: { clock.utc.milliseconds / 1_000 }, logger: logger)
        let loop = ControlLoop { await admission.run() }
        guard !(turn.tcp + turn.tls).isEmpty else { return [.init(service: loop, successTerminationBehavior: .ignore)] }
        let streams = TURNStreamServer(
            workers: rings, configuration: turn, gauge: gauge, logger: logger
        ) { [logger] transport, port in
            logger.info("listening", metadata: ["listener": "turn \(transport)", "port": "\(port)"])
        }
        return [
            .init(service: loop, successTerminationBehavior: .ignore),
            .init(service: streams, successTerminationBehavior: .ignore),
        ]
    }
}

/// A loop of the control side that ends when its task is cancelled, and cleans up behind that.
private struct ControlLoop: Service {
    let body: @Sendable () async -> Void

    func run() async throws { await cancelWhenGracefulShutdown { await body() } }
}
