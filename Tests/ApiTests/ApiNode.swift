import Fleet
import Foundation
import Logging
import Mailbox
import Meetings
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import Testing

@testable import Api

/// What the node would tell of itself.
struct FakeStatus: NodeStatus {
    var conditions: [ReadinessCondition] = [ReadinessCondition(name: "port", isMet: true)]
    var workers: [WorkerReading] = []
    var ports: [PortReading] = []
    var build = BuildInfo(version: "1.2.3", revision: "abc")
    var capacity = NodeCapacity(sessions: 100, tracks: 200, sinks: 3_000)
}

/// An answer of the API.
struct Answer {
    var status: Int
    var headers: [String: String]
    var body: String

    /// Null where the body is no JSON.
    var json: Value { (try? JSONDecoder().decode(Value.self, from: Data(body.utf8))) ?? .null }
    var code: String? { json["code"]?.string }
}

/// A running ApiServer on free loopback ports.
struct ApiNode: Sendable {
    static let key = ApiConfiguration.Key(id: "key-1", secret: Array("a secret of the tests, of 32 bytes".utf8))

    let port: Int
    let opsPort: Int
    let media: FakeMedia
    let clock: ManualClock
    let drain: Drain
    let stop: @Sendable () async -> Void

    static var configuration: ApiConfiguration {
        var configuration = ApiConfiguration()
        configuration.api = .init(host: "127.0.0.1", port: 0)
        configuration.ops = .init(host: "127.0.0.1", port: 0)
        configuration.keys = [key]
        configuration.mediaServer = "127.0.0.1:3478"
        configuration.rateLimit = nil
        // Of the system's clock, which goes on while a busy machine does not; the tests' clients answer no ping.
        configuration.signalingJoinTime = .seconds(600)
        configuration.keepalive = .seconds(600)
        configuration.shutdownTime = .seconds(60)
        // The tests' clock stands still.
        configuration.gatherTime = .zero
        return configuration
    }

    /// Runs `body` against a server, then stops the server gracefully.
    static func run(
        _ configuration: ApiConfiguration = configuration, status: FakeStatus = FakeStatus(),
        registry: (any Registry)? = nil, store: MeetingStore? = nil,
        _ body: @escaping @Sendable (ApiNode) async throws -> Void
    ) async throws {
        let media = FakeMedia()
        let clock = ManualClock()
        let drain = Drain()
        let (ports, found) = AsyncStream.makeStream(of: (ApiServer.Listener, Int).self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = ApiServer(
            configuration: configuration, media: media, status: status, drain: drain, registry: registry, store: store,
            clock: clock, logger: logger
        ) { listener, port in found.yield((listener, port)) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var api = 0
            var ops = 0
            for await (listener, port) in ports {
                if listener == .api { api = port } else { ops = port }
                if api != 0 && ops != 0 { break }
            }
            let node = ApiNode(port: api, opsPort: ops, media: media, clock: clock, drain: drain) {
                await group.triggerGracefulShutdown()
            }
            do { try await body(node) } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    // MARK: HTTP

    /// One request on its own connection; the path goes out as it stands.
    func call(
        _ method: String, _ path: String, token: String? = nil, body: Value? = nil, text: String? = nil,
        headers: [String: String] = [:], ops: Bool = false
    ) async throws -> Answer {
        var content = text ?? ""
        if let body { content = String(decoding: try JSONEncoder().encode(body), as: UTF8.self) }
        var request = "\(method) \(path) HTTP/1.1\r\nHost: meet.test:8080\r\nConnection: close\r\n"
        if let token { request += "Authorization: Bearer \(token)\r\n" }
        if !content.isEmpty, headers["Content-Type"] == nil, path.hasPrefix("/api") {
            request += "Content-Type: application/json\r\n"
        }
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        request += "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
        return try parse(await exchange(request, port: ops ? opsPort : port))
    }

    /// Sends bytes and reads until the server closes.
    func exchange(_ request: String, preamble: [UInt8] = [], port: Int) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // A server that refuses early may close before all is written.
            try? await outbound.write(ByteBuffer(bytes: preamble + request.utf8))
            var answer = ByteBuffer()
            do {
                for try await var part in inbound { answer.writeBuffer(&part) }
            } catch  where answer.readableBytes > 0 {}
            return String(buffer: answer)
        }
    }

    /// Sends bytes, reads until the answer holds `word`, and goes away.
    func converse(_ request: String, until word: String, port: Int) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if answer.contains(word) { break }
            }
            return answer
        }
    }

    private func parse(_ text: String) throws -> Answer {
        let halves = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = try #require(halves.first).split(separator: "\r\n")
        let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts[1].trimmingCharacters(in: .whitespaces)
            // RFC 9110 section 5.3.
            headers[parts[0].lowercased(), default: ""] += headers[parts[0].lowercased()] == nil ? value : ", \(value)"
        }
        return Answer(status: status, headers: headers, body: halves.count > 1 ? String(halves[1]) : "")
    }

    // MARK: Meetings

    func token(
        _ grants: Set<String> = [Grants.create], user: String = "user-1", begins: Duration? = nil,
        expires: Duration = .seconds(600),
        key: ApiConfiguration.Key = key
    ) async throws -> String {
        try JSONWebToken.sign(
            ServiceToken(
                iss: key.id, sub: user, exp: (clock.utc + expires).seconds,
                nbf: begins.map { (clock.utc + $0).seconds }, meeting: Grants(grants)),
            key: key.secret)
    }

    /// A fresh meeting, as its creation answered it.
    func meeting(_ body: Value = ["topic": "Standup"]) async throws -> Value {
        let answer = try await call("POST", "/api/v1/meetings", token: token(), body: body)
        try #require(answer.status == 201)
        return answer.json
    }

    func join(_ meeting: Value, _ name: String, _ more: [String: Value] = [:]) async throws -> Value {
        let id = try #require(meeting["meeting_id"]?.string)
        let body = Value.object(more.merging(["display_name": .string(name)]) { $1 })
        let answer = try await call("POST", "/api/v1/meetings/\(id)/join", body: body)
        try #require(answer.status == 200)
        return answer.json
    }

    /// Joins and opens the socket; answers the `joined` message too.
    func enter(_ meeting: Value, _ name: String, _ more: [String: Value] = [:]) async throws -> Visitor {
        let place = try await join(meeting, name, more)
        let socket = try await SignalingClient.connect(port: port)
        let token = try #require(place["session_token"]?.string)
        let joined = try await socket.ask(["type": "join", "id": 1, "session_token": .string(token)])
        try #require(joined["type"] == "joined")
        return Visitor(
            id: try #require(place["participant_id"]?.string), token: token,
            resume: try #require(joined["resume"]?.string), joined: joined, socket: socket)
    }
}

/// Somebody in a meeting.
struct Visitor {
    var id: String
    var token: String
    var resume: String
    var joined: Value
    var socket: SignalingClient
}
