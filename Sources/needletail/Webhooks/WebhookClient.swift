import Api
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Webhooks

/// Sends webhooks to their endpoint, each on a connection of its own. Redirects are not followed.
struct WebhookClient: Sendable {
    let endpoint: WebhookEndpoint
    /// How long an attempt may take, from the look-up of the name to the status line.
    let timeout: Duration
    private let lookup: AddressLookup

    /// Bytes of an answer's header fields.
    private static let headLimit = 16 * 1_024
    /// Bytes of an answer's body that are waited for, so that a receiver may end what it says; nobody reads them.
    private static let bodyLimit = 8 * 1_024

    init(endpoint: WebhookEndpoint, timeout: Duration) {
        self.endpoint = endpoint
        self.timeout = timeout
        lookup = AddressLookup(host: endpoint.host, port: endpoint.port)
    }

    /// One attempt. It ends in time, whatever the receiver does.
    func post(_ body: String, _ signature: WebhookSignature) async -> DeliveryAnswer {
        let heard = Heard()
        let late = DeliveryAnswer.silence("no answer within \(timeout)")
        let answer = await bounded(timeout, else: late) { [self] in
            do {
                return try await exchange(body, signature, heard)
            } catch let failure as any CustomStringConvertible {
                return .silence("no answer: \(failure)".prefix(200).description)
            } catch {
                return .silence("no answer")
            }
        }
        // Its status counts, however the body ends.
        return heard.answer ?? answer
    }

    /// What came before the end.
    private final class Heard: Sendable {
        private let kept = Mutex<DeliveryAnswer?>(nil)

        var answer: DeliveryAnswer? {
            get { kept.withLock { $0 } }
            set { kept.withLock { $0 = newValue } }
        }
    }

    private func head(_ body: String, _ signature: WebhookSignature) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": endpoint.authority, "Connection": "close", "User-Agent": "needletail",
            "Content-Type": "application/json", "Content-Length": "\(body.utf8.count)",
        ]
        for (name, value) in signature.fields { headers.add(name: name, value: value) }
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: endpoint.target, headers: headers)
    }

    private func exchange(
        _ body: String, _ signature: WebhookSignature, _ heard: Heard
    ) async throws -> DeliveryAnswer {
        let channel = try await connect()
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(contentsOf: [
                .head(head(body, signature)), .body(.byteBuffer(ByteBuffer(string: body))), .end(nil),
            ])
            var length = 0
            for try await part in inbound {
                switch part {
                case .head(let head):
                    heard.answer = .status(Int(head.status.code), retryAfter: head.headers.first(name: "Retry-After"))
                case .body(let bytes): length += bytes.readableBytes
                case .end: length = .max
                }
                if length > Self.bodyLimit { break }
            }
            return heard.answer ?? .silence("no answer: the connection was closed")
        }
    }

    private func connect() async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Self.headLimit
        limits.maxHeaderListSize = Self.headLimit
        let (bounds, tls) = (limits, endpoint.tls)
        let address = try await lookup.address()
        let opening = Opening()
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(TimeAmount(timeout))
        return try await withTaskCancellationHandler {
            try await bootstrap.connect(to: address) { channel in
                opening.note(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tlsClientHandler(tls)) }
                    try pipeline.addHTTPClientHandlers(decoderLimitConfiguration: bounds)
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
        } onCancel: {
            opening.end()
        }
    }

    /// A connection that is being made: a task that is cancelled does not wait for it.
    private final class Opening: Sendable {
        private let state = Mutex((channel: (any Channel)?.none, isOver: false))

        func note(_ channel: any Channel) {
            let isOver = state.withLock { state in
                state.channel = channel
                return state.isOver
            }
            if isOver { channel.close(promise: nil) }
        }

        func end() {
            let channel = state.withLock { state in
                state.isOver = true
                return state.channel
            }
            channel?.close(promise: nil)
        }
    }
}
