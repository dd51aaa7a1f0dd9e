import Foundation

/// Asks a node's `ops` listener whether it may take traffic, and how much it has to do.
struct OpsProbe: Sendable {
    let address: OpsAddress

    /// One poll. Never throws: what goes wrong is silence.
    func poll() async -> AnnouncementPolicy.Poll {
        guard let ready = try? await get("/readyz") else { return .silent }
        guard ready.status == 200 else { return .refused }
        guard let node = try? await get("/api/v1/node"), node.status == 200 else { return .ready(load: nil) }
        return .ready(load: Self.load(in: node.body))
    }

    /// How much of what the node can carry is taken, from what `/api/v1/node` answers.
    static func load(in body: Data) -> Double? {
        struct Node: Decodable {
            struct Load: Decodable {
                var headroom: Double
            }

            var load: Load
        }
        return (try? JSONDecoder().decode(Node.self, from: body)).map { 1 - $0.load.headroom }
    }

    private func get(_ path: String) async throws -> (status: Int, body: Data) {
        try await OpsRequest(path: path).send(to: address, patience: .milliseconds(500))
    }
}
