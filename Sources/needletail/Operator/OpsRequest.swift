import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// One HTTP request to a node's `ops` listener, on a connection of its own.
struct OpsRequest: Sendable {
    var method: HTTPMethod = .GET
    var path: String
    /// For the Authorization header.
    var token: String?
    /// JSON.
    var body: String?

    /// A longer answer is no answer, bytes.
    private static let limit = 1 << 20

    private var headers: HTTPHeaders {
        var headers: HTTPHeaders = ["Connection": "close"]
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: "\(body.utf8.count)")
        }
        return headers
    }

    /// Sends it and waits for the answer: bounded by whoever waits, who may cancel.
    ///
    /// - Parameter patience: how long it may take to connect.
    func send(to address: OpsAddress, patience: TimeAmount) async throws -> (status: Int, body: Data) {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(patience)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
            head.headers.add(name: "Host", value: address.description)
            let content = body.map { HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: $0))) }
            // At once: a request without a body is whole with its head, and may be answered and closed before its end.
            try await outbound.write(contentsOf: [.head(head)] + (content.map { [$0] } ?? []) + [.end(nil)])
            return try await Self.collect(inbound)
        }
    }

    private static func collect(
        _ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>
    ) async throws -> (status: Int, body: Data) {
        var status = 0
        var body = Data()
        for try await part in parts {
            switch part {
            case .head(let head): status = Int(head.status.code)
            case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
            case .end: return (status, body)
            }
            if body.count > limit { throw NIOTooManyBytesError(maxBytes: limit) }
        }
        throw ChannelError.eof
    }
}
