import HTTPTypes
import Hummingbird
import NIOCore

/// Everything that the `ops` listener serves (API.md, Operations).
struct OpsRouter: Sendable {
    let hub: MeetingHub
    let status: any NodeStatus
    let load: WorkerLoad

    private struct Readiness: Encodable {
        struct Condition: Encodable {
            var name: String
            var met: Bool
            var detail: String
        }

        var ready: Bool
        var conditions: [Condition]
    }

    func make() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: ProblemMiddleware())
        router.get("livez") { _, _ in Response.json(["live": true]) }
        router.get("readyz") { _, _ in await readiness() }
        router.get("metrics") { _, _ in await metrics() }
        return router
    }

    private func conditions() async -> [ReadinessCondition] {
        let isDraining = await hub.isDraining
        let own = ReadinessCondition(
            name: "accepting", isMet: !isDraining, detail: isDraining ? "the node is stopping" : "")
        return status.conditions + [own]
    }

    private func readiness() async -> Response {
        let conditions = await conditions()
        let isReady = conditions.allSatisfy(\.isMet)
        let body = Readiness(
            ready: isReady, conditions: conditions.map { .init(name: $0.name, met: $0.isMet, detail: $0.detail) })
        return .json(body, status: isReady ? .ok : .serviceUnavailable)
    }

    private func metrics() async -> Response {
        let isReady = await conditions().allSatisfy(\.isMet)
        let text = MetricsPage.render(
            workers: status.workers, load: load, hub: await hub.reading, isReady: isReady, build: status.build)
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
