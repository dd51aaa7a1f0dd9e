import ArgumentParser
import Foundation

/// Empties the node: no newcomers, and those inside are told until when they may stay.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Take no newcomers, and tell those inside until when they may stay.")

    @OptionGroup var ops: OpsOptions

    @Option(name: .long, help: "Seconds until those inside are let go; by default drain.deadline_s of the node.")
    var deadline: Int?

    @Option(name: .long, help: "The signaling address of the PoP that participants are sent to.")
    var toSignaling: String?

    @Option(name: .long, help: "The media address of that PoP, as 192.0.2.2:3478.")
    var toMedia: String?

    @Flag(name: .long, help: "Return when the node is empty.")
    var wait = false

    func validate() throws {
        guard (toSignaling == nil) == (toMedia == nil) else {
            throw ValidationError("--to-signaling and --to-media name one PoP: give both or none")
        }
    }

    private struct Body: Encodable {
        struct Target: Encodable {
            var signalingUrl: String
            var mediaServer: String
        }

        var deadlineS: Int?
        var target: Target?
    }

    func run() async throws {
        try await Operator.run {
            let client = try ops.client()
            var body = Body(deadlineS: deadline)
            if let toSignaling, let toMedia { body.target = .init(signalingUrl: toSignaling, mediaServer: toMedia) }
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            let text = String(decoding: try encoder.encode(body), as: UTF8.self)
            var node = try await client.ask("POST", "/api/v1/node/drain", body: text, as: NodeAnswer.self)
            print(node.sentence)
            while wait, node.state == "draining" {
                try await Task.sleep(for: .seconds(1))
                node = try await client.ask("GET", "/api/v1/node", as: NodeAnswer.self)
            }
            if wait { print(node.sentence) }
        }
    }
}

/// Takes a drain back.
struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Take newcomers again; those inside are told to stay.")

    @OptionGroup var ops: OpsOptions

    func run() async throws {
        try await Operator.run {
            let client = try ops.client()
            let (status, data) = try await client.call("DELETE", "/api/v1/node/drain")
            guard status == 204 else { throw OpsClient.Failure(description: OpsClient.complaint(status, data)) }
            print(try await client.ask("GET", "/api/v1/node", as: NodeAnswer.self).sentence)
        }
    }
}

/// Says how the node is. Fails when it does not take traffic.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Print what the node does, and each condition of its readiness.")

    @OptionGroup var ops: OpsOptions

    func run() async throws {
        try await Operator.run {
            let client = try ops.client()
            let node = try await client.ask("GET", "/api/v1/node", as: NodeAnswer.self)
            let health = try await client.ask("GET", "/readyz", as: HealthAnswer.self, also: [503])
            print(node.sentence)
            print(node.figures)
            for condition in health.conditions { print(condition.line) }
            if !health.ready { throw ExitCode.failure }
        }
    }
}
