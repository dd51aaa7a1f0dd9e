import Hummingbird
import Meetings

/// `/api/v1/node` of the `ops` listener: what the node carries, and how it is emptied (documentation, REST).
struct NodeRoutes: Sendable {
    let configuration: ApiConfiguration
    let observer: NodeObserver
    let gate: OperatorGate

    /// The longest drain: a day.
    private static let longest = 86_400

    func add(to router: Router<BasicRequestContext>) {
        let node = router.group("api/v1/node")
        node.get { _, _ in await Response.json(observer.reading()) }
        node.post("drain") { request, _ in try await begin(request) }
        node.delete("drain") { request, _ in try await cancel(request) }
    }

    private struct DrainBody: CallBody {
        enum CodingKeys: String, CodingKey, CaseIterable {
            case target
            case deadlineS = "deadline_s"
        }

        struct Target: CallBody {
            enum CodingKeys: String, CodingKey, CaseIterable {
                case signalingUrl = "signaling_url"
                case mediaServer = "media_server"
            }

            var signalingUrl: String
            var mediaServer: String
        }

        var deadlineS: Int?
        var target: Strict<Target>?
    }

    private func begin(_ request: Request) async throws -> Response {
        try await gate.authorize(request)
        let body = try await request.json(DrainBody.self)
        if let seconds = body.deadlineS, !(0...Self.longest).contains(seconds) {
            throw Problem(422, "invalid_field", "deadline_s: from 0 to \(Self.longest)")
        }
        let target = try body.target.map { try Self.target($0.body) }
        observer.drain.begin(
            for: body.deadlineS.map { .seconds($0) } ?? configuration.drainTime, target: target, at: observer.clock.now)
        return await Response.json(observer.reading(), status: .accepted)
    }

    private func cancel(_ request: Request) async throws -> Response {
        try await gate.authorize(request)
        guard observer.drain.cancel() else {
            throw Problem(409, "stopping", "The process was told to end; that is not taken back.")
        }
        return .noContent
    }

    private static func target(_ target: DrainBody.Target) throws -> Drain.Target {
        guard target.signalingUrl.wholeMatch(of: /wss?:\/\/[^\s\/]+(\/\S*)?/) != nil,
            target.signalingUrl.utf8.count <= 2_048
        else { throw Problem(422, "invalid_field", "target.signaling_url: a ws or wss address") }
        guard target.mediaServer.wholeMatch(of: /\S+:[0-9]{1,5}/) != nil, target.mediaServer.utf8.count <= 256 else {
            throw Problem(422, "invalid_field", "target.media_server: an address and a port, as 192.0.2.2:3478")
        }
        return Drain.Target(signalingURL: target.signalingUrl, mediaServer: target.mediaServer)
    }
}

extension ApiConfiguration.Listen {
    /// Only programs of this machine reach it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
