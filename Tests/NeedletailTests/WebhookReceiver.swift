import Agents
import Api
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A receiver of webhooks on loopback, which answers as it is told.
final class WebhookReceiver: Sendable {
    /// What came to it.
    struct Call: Sendable {
        var line: String
        /// By names in lower case.
        var fields: [String: String]
        var body: String
    }

    enum Answer: Sendable {
        /// As it stands; the connection ends behind it.
        case text(String)
        /// None, for as long as the other side stays.
        case never
        /// Behind this, more and more of the same.
        case endless(String, more: String)

        static func status(_ status: Int, _ fields: String = "") -> Answer {
            .text("HTTP/1.1 \(status) X\r\n\(fields)Content-Length: 2\r\n\r\nok")
        }
    }

    /// What it answers to each call, the first being number 1.
    struct Script: Sendable {
        let answer: @Sendable (Call, _ number: Int) -> Answer

        init(_ answer: @escaping @Sendable (Call, _ number: Int) -> Answer) { self.answer = answer }
    }

    private let seen = Mutex<[Call]>([])
    private let script: Script

    var calls: [Call] { seen.withLock { $0 } }

    private init(_ script: Script) { self.script = script }

    /// Runs `body` beside a receiver, with its port.
    static func run(
        tls: TLSContext? = nil, _ script: Script,
        _ body: @escaping @Sendable (WebhookReceiver, _ port: Int) async throws -> Void
    ) async throws {
        let receiver = WebhookReceiver(script)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Of either side, as its context has it.
                    if let tls { try channel.pipeline.syncOperations.addHandler(tlsClientHandler(tls)) }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = try #require(server.channel.localAddress?.port)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await server.executeThenClose { clients in
                    await withDiscardingTaskGroup { group in
                        do {
                            for try await client in clients { group.addTask { await receiver.serve(client) } }
                        } catch {}
                        group.cancelAll()
                    }
                }
            }
            do { try await body(receiver, port) } catch { Issue.record(error) }
            tasks.cancelAll()
        }
    }

    private func serve(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        try? await client.executeThenClose { inbound, outbound in
            var text = ""
            for try await part in inbound {
                text += String(buffer: part)
                guard let call = Self.whole(text) else { continue }
                let number = seen.withLock { seen in
                    seen.append(call)
                    return seen.count
                }
                switch script.answer(call, number) {
                case .text(let text): return try await outbound.write(ByteBuffer(string: text))
                case .never: continue
                case .endless(let text, let more):
                    try await outbound.write(ByteBuffer(string: text))
                    while !Task.isCancelled {
                        try await outbound.write(ByteBuffer(string: more))
                        // Others of this process need its few threads, too.
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
            }
        }
    }

    /// Nil while something is missing.
    private static func whole(_ text: String) -> Call? {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let body = String(text[end.upperBound...])
        guard body.utf8.count >= Int(fields["content-length"] ?? "0") ?? 0 else { return nil }
        return Call(line: lines.first ?? "", fields: fields, body: body)
    }
}
