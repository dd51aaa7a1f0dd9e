import Hummingbird
import Store

/// `/api/v1/webhooks` of the `ops` listener: what waits to be delivered and what was given up (documentation, REST).
struct WebhookRoutes: Sendable {
    /// Nil where meetings live in memory alone.
    let store: MeetingStore?
    let gate: OperatorGate
    let clock: any ApiClock

    /// Webhooks of a page, and where none is said.
    private static let pageLimit = 1_000
    private static let page = 100

    func add(to router: Router<BasicRequestContext>) {
        let webhooks = router.group("api/v1/webhooks")
        webhooks.get { request, _ in try await endpoints(request) }
        webhooks.post("redeliver") { request, _ in try await redeliverAll(request) }
        webhooks.get("deliveries") { request, _ in try await list(request) }
        webhooks.get("deliveries/:delivery_id") { request, context in try await show(request, context) }
        webhooks.delete("deliveries/:delivery_id") { request, context in try await delete(request, context) }
        webhooks.post("deliveries/:delivery_id/redeliver") { request, context in
            try await redeliver(request, context)
        }
    }

    private func opened(_ request: Request) async throws -> MeetingStore {
        try await gate.authorize(request)
        guard let store, !store.webhooks.isEmpty else {
            throw Problem(404, "no_webhooks", "Nobody is told of events: the configuration has no webhooks.endpoints.")
        }
        return store
    }

    private func endpoints(_ request: Request) async throws -> Response {
        .json(WebhooksJSON(try await opened(request).webhooks, at: clock.utc))
    }

    private func list(_ request: Request) async throws -> Response {
        let store = try await opened(request)
        let given = request.uri.queryParameters
        func invalid(_ field: String, _ what: String) -> Problem { Problem(422, "invalid_field", "\(field): \(what)") }
        var query = DeliveryQuery(limit: Self.page)
        switch given["state"] {
        case nil: break
        case "pending": query.isDead = false
        case "dead": query.isDead = true
        default: throw invalid("state", "pending or dead")
        }
        query.endpoint = given["endpoint"].map(String.init)
        if let text = given["after"] {
            guard let after = Int64(text), after >= 0 else { throw invalid("after", "the next of a page before") }
            query.after = after
        }
        if let text = given["limit"] {
            guard let limit = Int(text), (1...Self.pageLimit).contains(limit) else {
                throw invalid("limit", "from 1 to \(Self.pageLimit)")
            }
            query.limit = limit
        }
        let wanted = query.limit
        query.limit += 1
        let found = try await stored { () async throws(StoreFailure) in try await store.deliveries(query) }
        let page = found.prefix(wanted)
        return .json(
            DeliveryListJSON(
                deliveries: page.map { DeliveryJSON($0) }, next: found.count > wanted ? page.last?.row : nil))
    }

    private func show(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (_, delivery) = try await named(request, context)
        return .json(DeliveryJSON(delivery, withBody: true))
    }

    private func delete(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (store, delivery) = try await named(request, context)
        try await stored { () async throws(StoreFailure) in try await store.change(.delete(row: delivery.row)) }
        return .noContent
    }

    private func redeliver(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let (store, delivery) = try await named(request, context)
        guard store.webhooks.contains(where: { $0.name == delivery.endpoint }) else {
            throw Problem(409, "endpoint_removed", "The configuration has no endpoint \(delivery.endpoint) any more.")
        }
        try await stored { () async throws(StoreFailure) in try await store.change(.redeliver(row: delivery.row)) }
        return Response(status: .accepted)
    }

    private struct RedeliverBody: CallBody {
        enum CodingKeys: String, CodingKey, CaseIterable {
            case endpoint
        }

        var endpoint: String?
    }

    private func redeliverAll(_ request: Request) async throws -> Response {
        let store = try await opened(request)
        let endpoint = try await request.json(RedeliverBody.self).endpoint
        if let endpoint, !store.webhooks.contains(where: { $0.name == endpoint }) {
            throw Problem(422, "invalid_field", "endpoint: one of the configuration's")
        }
        try await stored { () async throws(StoreFailure) in
            try await store.change(.redeliverAll(endpoint: endpoint))
        }
        return Response(status: .accepted)
    }

    private func named(
        _ request: Request, _ context: BasicRequestContext
    ) async throws -> (MeetingStore, StoredDelivery) {
        let store = try await opened(request)
        guard let row = Int64(try context.parameters.require("delivery_id")),
            let found = try await stored({ () async throws(StoreFailure) in try await store.delivery(row) })
        else {
            throw Problem(404, "delivery_not_found", "There is no such webhook: it was delivered, or taken out.")
        }
        return (store, found)
    }

    private func stored<Value>(_ body: () async throws(StoreFailure) -> Value) async throws -> Value {
        do {
            return try await body()
        } catch {
            throw Problem(503, "store_unavailable", "The Store cannot be asked just now.", retryAfter: 5)
        }
    }
}
