import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a node's `ops` listener whether it may take traffic, and how much it has to do.
struct OpsProbe: Sendable {
    let host: String
    let port: Int

    /// A longer answer is no answer.
    private static let limit = 256 * 1_024

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

    private func get(_ path: String) async throws -> (status: UInt, body: Data) {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.milliseconds(500))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let headers: HTTPHeaders = ["Host": "\(host):\(port)", "Connection": "close"]
            try await outbound.write(
                .head(HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)))
            try await outbound.write(.end(nil))
            var status: UInt = 0
            var body = Data()
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status.code
                case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
                case .end: return (status, body)
                }
                if body.count > Self.limit { break }
            }
            throw ChannelError.eof
        }
    }
}
