import Agents
import Api
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// The server that is recorded from, by its HTTP.
struct RecordServer: Sendable {
    /// The server did not answer, or not what was hoped for: one line for a person.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Of its answer; 0 where there was none.
        var status = 0
    }

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: String
    }

    let host: String
    let port: Int
    /// Nil over plain HTTP.
    let tls: TLSContext?
    var patience: TimeAmount = .seconds(10)

    /// A longer answer is none, bytes.
    private static let limit = 1 << 20

    /// - Parameters:
    ///   - text: `https://meet.example.org` or `http://127.0.0.1:8080`.
    ///   - authorities: of the server's certificate, PEM; nil: those that the system trusts.
    /// - Throws: `Failure`, `DTLSError`.
    init(_ text: String, authorities: [UInt8]? = nil) throws {
        guard let url = URL(string: text), let host = url.host, !host.isEmpty, url.path.isEmpty || url.path == "/",
            url.scheme == "https" || url.scheme == "http"
        else { throw Failure(description: "--url must be as https://meet.example.org or http://127.0.0.1:8080") }
        self.host = host.trimmingCharacters(in: ["[", "]"])
        port = url.port ?? (url.scheme == "https" ? 443 : 80)
        guard url.scheme == "https" else {
            tls = nil
            return
        }
        let trusted = authorities.map { TLSAuthorities($0) }
        if case .some(nil) = trusted { throw Failure(description: "the authorities' file holds no certificate") }
        tls = try TLSContext(server: self.host, of: trusted ?? nil)
    }

    /// For the field Host.
    var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Connects, and sets the channel up behind TLS.
    func connect<Result: Sendable>(
        _ body: @escaping @Sendable (any Channel) -> EventLoopFuture<Result>
    ) async throws -> Result {
        do {
            return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(patience)
                .connect(host: host, port: port) { [tls] channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls { try channel.pipeline.syncOperations.addHandler(tlsClientHandler(tls)) }
                    }.flatMap { body(channel) }
                }
        } catch {
            throw Failure(description: "no connection to \(name): \(error)")
        }
    }

    /// One request on a connection of its own.
    ///
    /// - Throws: `Failure` where there is no answer.
    func call(
        _ method: HTTPMethod, _ path: String, token: String?, type: String = "application/json", body: String? = nil
    ) async throws -> Answer {
        var headers: HTTPHeaders = ["Host": name, "Connection": "close"]
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            headers.add(name: "Content-Type", value: type)
            headers.add(name: "Content-Length", value: "\(body.utf8.count)")
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        let server = self
        let answer: Result<Answer, Failure> = await bounded(
            Duration(patience), else: .failure(Failure(description: "\(name) did not answer in time"))
        ) {
            do {
                return .success(try await server.exchange(head, body))
            } catch let failure as Failure {
                return .failure(failure)
            } catch {
                return .failure(Failure(description: "no answer from \(server.name): \(error)"))
            }
        }
        return try answer.get()
    }

    private func exchange(_ head: HTTPRequestHead, _ body: String?) async throws -> Answer {
        let channel = try await connect { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                    wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            let content = body.map { HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: $0))) }
            try await outbound.write(contentsOf: [.head(head)] + (content.map { [$0] } ?? []) + [.end(nil)])
            var answer = Answer(status: 0, headers: [:], body: "")
            for try await part in inbound {
                switch part {
                case .head(let head): (answer.status, answer.headers) = (Int(head.status.code), head.headers)
                case .body(let bytes): answer.body += String(buffer: bytes)
                case .end: return answer
                }
                if answer.body.utf8.count > Self.limit { throw NIOTooManyBytesError(maxBytes: Self.limit) }
            }
            throw ChannelError.eof
        }
    }

    /// What a refusal says.
    static func complaint(_ answer: Answer) -> Failure {
        struct Problem: Decodable { var detail: String }
        let detail = try? JSONDecoder().decode(Problem.self, from: Data(answer.body.utf8)).detail
        return Failure(description: "refused (\(answer.status)): \(detail ?? "no reason given")", status: answer.status)
    }
}
