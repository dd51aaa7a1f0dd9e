import ArgumentParser
import Foundation

/// What is told to other services, and was not taken yet.
struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "The webhooks that wait to be delivered, and those that were given up.",
        subcommands: [
            WebhooksListCommand.self, WebhooksShowCommand.self, WebhooksRedeliverCommand.self,
            WebhooksDeleteCommand.self,
        ], defaultSubcommand: WebhooksListCommand.self)

    static let path = "/api/v1/webhooks"
}

/// Lists them. Fails when some were given up.
struct WebhooksListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Print how each endpoint does, and its first webhooks.")

    @OptionGroup var ops: OpsOptions

    @Option(name: .long, help: "Those of this endpoint alone.")
    var endpoint: String?

    @Flag(name: .long, help: "Those alone that were given up.")
    var dead = false

    @Option(name: .long, help: "So many of them, 1 to 1000.")
    var limit = 20

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000") }
    }

    func run() async throws {
        try await Operator.run {
            let client = try ops.client()
            let endpoints = try await client.ask("GET", WebhooksCommand.path, as: WebhooksAnswer.self)
            var query = URLComponents()
            query.queryItems =
                [URLQueryItem(name: "limit", value: "\(limit)")]
                + (dead ? [URLQueryItem(name: "state", value: "dead")] : [])
                + (endpoint.map { [URLQueryItem(name: "endpoint", value: $0)] } ?? [])
            let list = try await client.ask(
                "GET", "\(WebhooksCommand.path)/deliveries?\(query.percentEncodedQuery ?? "")",
                as: DeliveriesAnswer.self)
            for line in endpoints.lines + list.lines { print(line) }
            if endpoints.endpoints.contains(where: { $0.dead > 0 }) { throw ExitCode.failure }
        }
    }
}

/// Prints one with its body.
struct WebhooksShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print one webhook, and what it says.")

    @OptionGroup var ops: OpsOptions

    @Argument(help: "Its number in the list.")
    var id: Int64

    func run() async throws {
        try await Operator.run {
            let path = "\(WebhooksCommand.path)/deliveries/\(id)"
            let delivery = try await ops.client().ask("GET", path, as: DeliveriesAnswer.Delivery.self)
            for line in TextTable.lines([DeliveriesAnswer.Delivery.head, delivery.row]) { print(line) }
            print("webhook-id: \(delivery.webhookId)")
            print(delivery.body ?? "")
        }
    }
}

/// Has webhooks tried anew.
struct WebhooksRedeliverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver", abstract: "Send webhooks again, now, whether they wait or were given up.")

    @OptionGroup var ops: OpsOptions

    @Argument(help: "Its number in the list.")
    var id: Int64?

    @Flag(name: .long, help: "All.")
    var all = false

    @Option(name: .long, help: "With --all: those of this endpoint.")
    var endpoint: String?

    func validate() throws {
        guard (id != nil) != all else { throw ValidationError("give the number of one, or --all") }
        guard endpoint == nil || all else { throw ValidationError("--endpoint goes with --all") }
    }

    func run() async throws {
        try await Operator.run {
            let client = try ops.client()
            var path = "\(WebhooksCommand.path)/redeliver"
            if let id { path = "\(WebhooksCommand.path)/deliveries/\(id)/redeliver" }
            let body = try endpoint.map { String(decoding: try JSONEncoder().encode(["endpoint": $0]), as: UTF8.self) }
            let (status, data) = try await client.call("POST", path, body: body)
            guard status == 202 else { throw OpsClient.Failure(description: OpsClient.complaint(status, data)) }
        }
    }
}

/// Takes one out.
struct WebhooksDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Take one out: it is not delivered any more.")

    @OptionGroup var ops: OpsOptions

    @Argument(help: "Its number in the list.")
    var id: Int64

    func run() async throws {
        try await Operator.run {
            let path = "\(WebhooksCommand.path)/deliveries/\(id)"
            let (status, data) = try await ops.client().call("DELETE", path)
            guard status == 204 else { throw OpsClient.Failure(description: OpsClient.complaint(status, data)) }
        }
    }
}

/// `GET /api/v1/webhooks`.
struct WebhooksAnswer: Decodable {
    struct Endpoint: Decodable {
        var name: String
        var pending: Int
        var dead: Int
        var oldestPendingS: Int?
        var delivered: UInt64
        var failed: UInt64
        var dropped: UInt64
    }

    var endpoints: [Endpoint]

    var lines: [String] {
        let head = ["ENDPOINT", "PENDING", "OLDEST", "DEAD", "DELIVERED", "FAILED", "DROPPED"]
        return TextTable.lines(
            [head]
                + endpoints.map { endpoint in
                    [
                        endpoint.name, "\(endpoint.pending)", endpoint.oldestPendingS.map { "\($0) s" } ?? "-",
                        "\(endpoint.dead)", "\(endpoint.delivered)", "\(endpoint.failed)", "\(endpoint.dropped)",
                    ]
                })
    }
}

/// `GET /api/v1/webhooks/deliveries`.
struct DeliveriesAnswer: Decodable {
    struct Delivery: Decodable {
        var id: Int64
        var webhookId: String
        var endpoint: String
        var meetingId: String
        var type: String
        var state: String
        var madeAt: String
        var attempts: Int
        var nextAt: String?
        var lastAnswer: String?
        var body: String?

        static let head = ["ID", "ENDPOINT", "STATE", "TYPE", "MEETING", "MADE", "ATTEMPTS", "NEXT", "LAST ANSWER"]

        var row: [String] {
            [
                "\(id)", endpoint, state, type, meetingId, madeAt, "\(attempts)", nextAt ?? "-", lastAnswer ?? "-",
            ]
        }
    }

    var deliveries: [Delivery]
    var next: Int64?

    /// Nothing where there are none.
    var lines: [String] {
        guard !deliveries.isEmpty else { return [] }
        return TextTable.lines([Delivery.head] + deliveries.map(\.row)) + (next == nil ? [] : ["and more"])
    }
}
