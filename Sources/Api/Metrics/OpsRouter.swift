import HTTPTypes
import Hummingbird
import NIOCore

/// Everything that the `ops` listener serves (documentation, REST).
struct OpsRouter: Sendable {
    let observer: NodeObserver
    let node: NodeRoutes
    let webhooks: WebhookRoutes
    let connections: ConnectionCount
    let requests: ConnectionCount
    let ends: ConnectionEnds

    private struct Liveness: Encodable {
        var live: Bool
        var silentWorkers: [Int]
    }

    private struct Readiness: Encodable {
        struct Condition: Encodable {
            var name: String
            var met: Bool
            var detail: String
            var since: String
        }

        var ready: Bool
        var conditions: [Condition]
    }

    func make() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: HeadAnswers())
        router.add(middleware: ProblemMiddleware())
        let methods = AllowedMethods<BasicRequestContext>()
        router.add(middleware: methods)
        router.get("livez") { _, _ in liveness() }
        router.get("readyz") { _, _ in await readiness() }
        router.get("metrics") { _, _ in await metrics() }
        node.add(to: router)
        webhooks.add(to: router)
        FleetRoutes(member: observer.hub.fleet).add(to: router)
        methods.learn(router.routes.map { ($0.path, $0.method) })
        return router
    }

    /// Fails only when the process cannot help itself, so that a restart is what helps.
    private func liveness() -> Response {
        let silent = observer.health.silentWorkers
        return .json(
            Liveness(live: silent.isEmpty, silentWorkers: silent),
            status: silent.isEmpty ? .ok : .serviceUnavailable)
    }

    private func readiness() async -> Response {
        let findings = await observer.findings()
        let isReady = findings.allSatisfy(\.condition.isMet)
        let conditions = findings.map { finding in
            Readiness.Condition(
                name: finding.condition.name, met: finding.condition.isMet, detail: finding.condition.detail,
                since: observer.clock.text(of: finding.since))
        }
        return .json(
            Readiness(ready: isReady, conditions: conditions), status: isReady ? .ok : .serviceUnavailable)
    }

    private func metrics() async -> Response {
        let text = MetricsPage.render(
            workers: observer.status.workers, load: observer.load, hub: await observer.hub.reading,
            node: await observer.metrics(connections, requests, ends), build: observer.status.build,
            fleet: await observer.hub.fleet?.fleet, store: observer.hub.store?.reading,
            webhooks: (observer.hub.store?.webhooks ?? [], observer.clock.utc), turnStreams: observer.status.turnStreams
        )
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
