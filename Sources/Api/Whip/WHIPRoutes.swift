import Agents
import Conference
import HTTPTypes
import Hummingbird
import Meetings
import NIOCore

/// `/whip` and `/whep`: the endpoint of a meeting, and the sessions that it made (RFC 9725, the page WHIP of the
/// documentation).
struct WHIPRoutes: Sendable {
    static let offerType = "application/sdp"
    static let fragmentType = "application/trickle-ice-sdpfrag"

    let stream: StreamProtocol
    let configuration: ApiConfiguration
    let hub: MeetingHub
    let tokens: TokenAuthority
    let limiter: AddressLimiter?
    let clock: any ApiClock

    private static let endpointMethods: [HTTPRequest.Method] = [.post, .options]
    private static let sessionMethods: [HTTPRequest.Method] = [.patch, .delete, .options]

    func add(to router: Router<ApiContext>) {
        let whip = router.group(RouterPath(stream.rawValue)).add(middleware: CrossOrigin()).add(
            middleware: ProblemMiddleware())
        whip.post(":id") { request, context in try await open(request, context) }
        whip.patch(":id/:resource") { request, context in try await patch(request, context) }
        whip.delete(":id/:resource") { request, context in try await close(request, context) }
        whip.on(":id", method: .options) { _, _ in options(Self.endpointMethods, [.acceptPost: Self.offerType]) }
        whip.on(":id/:resource", method: .options) { _, _ in
            options(Self.sessionMethods, [.acceptPatch: Self.fragmentType])
        }
        // The others are kept for later versions of the protocol (RFC 9725 section 4.2).
        for method: HTTPRequest.Method in [.get, .put, .patch, .delete] {
            whip.on(":id", method: method) { _, _ in refusal(Self.endpointMethods) }
        }
        for method: HTTPRequest.Method in [.get, .put, .post] {
            whip.on(":id/:resource", method: method) { _, _ in refusal(Self.sessionMethods) }
        }
    }

    // MARK: The endpoint

    private func open(_ request: Request, _ context: ApiContext) async throws -> Response {
        guard request.isOf(Self.offerType) else { return wrongType(.acceptPost, Self.offerType) }
        guard request.accepts(Self.offerType) else {
            throw Problem(406, "not_acceptable", "This call answers \(Self.offerType).")
        }
        try limiter?.admit(context.client(of: request), at: clock.now)
        let token = try request.bearer()
        let meeting = try await hub.meeting(of: request, context)
        let query = try StreamQuery(request, stream, in: meeting)
        var arrival = Arrival(way: .media, address: context.client(of: request), via: try request.via())
        let guest: WHIPGuest
        if let known = try WHIPGuest(token, name: query.name, of: meeting, by: tokens) {
            guest = known
            arrival.isVouched = true
        } else {
            guest = .newcomer(try await hub.bearer(token, name: query.name, of: meeting, from: arrival.address))
        }
        let sdp = try await request.text()
        let asked = WHIPRequest(
            stream: stream, sdp: sdp, subject: query.subject, token: token, isFresh: guest.isFresh,
            address: arrival.address)
        let (participant, answer) = try await request.located { [arrival] in
            try await open(asked, guest, in: meeting, arrival)
        }
        var response = Response(
            status: .created, headers: [.contentType: Self.offerType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.sdp)))
        response.headers[.location] = "/\(stream.rawValue)/\(meeting.id)/\(participant)"
        response.headers[.eTag] = answer.entityTag
        response.headers[.acceptPatch] = Self.fragmentType
        for link in answer.iceServers.flatMap(\.links) {
            response.headers.append(HTTPField(name: .link, value: link))
        }
        return response
    }

    private func open(
        _ asked: WHIPRequest, _ guest: WHIPGuest, in meeting: Meeting, _ arrival: Arrival
    ) async throws -> (ParticipantID, WHIPAnswer) {
        switch guest {
        case .place(let id, _): return (id, try await hub.open(asked, as: id, in: meeting.id))
        case .newcomer(let request):
            let newcomer = try await hub.admit(meeting.id, request, arrival)
            do {
                return (newcomer.id, try await hub.open(asked, as: newcomer.id, in: meeting.id))
            } catch {
                await hub.withdraw(newcomer.id)
                throw error
            }
        }
    }

    // MARK: A session

    /// An ICE restart, or trickled candidates, which are read and not needed: the server is ICE-lite, and learns addresses
    /// from checks (RFC 9725 section 4.3).
    private func patch(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (id, resource) = try await session(request, context)
        guard request.isOf(Self.fragmentType) else { return wrongType(.acceptPatch, Self.fragmentType) }
        guard let condition = request.headers[.ifMatch] else {
            throw Problem(428, "precondition_required", "This call needs an If-Match header: the ETag of the session.")
        }
        let text = try await request.text()
        let fragment: TrickleFragment
        do throws(SDPError) {
            fragment = try TrickleFragment(parsing: text)
        } catch {
            throw Problem.malformed(error.description)
        }
        if condition == "*" { return try await restart(id, fragment, context) }
        guard condition == resource.entityTag else {
            throw Problem(412, "precondition_failed", "The If-Match header names another ICE session.")
        }
        return .noContent
    }

    private func restart(
        _ id: ParticipantID, _ fragment: TrickleFragment, _ context: ApiContext
    ) async throws -> Response {
        guard let ufrag = fragment.ufrag, let password = fragment.password else {
            throw Problem.malformed("An ICE restart has new credentials: a=ice-ufrag and a=ice-pwd.")
        }
        let meeting = try await hub.findHere(context.parameters.require("id"))
        let (answer, resource) = try await hub.restartICE(
            id, in: meeting.id, stream, ufrag: ufrag, password: password)
        var response = Response(
            status: .ok, headers: [.contentType: Self.fragmentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: TrickleFragment.text(of: answer))))
        response.headers[.eTag] = resource.entityTag
        return response
    }

    private func close(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (id, _) = try await session(request, context)
        try await hub.leave(id, reason: .left)
        // RFC 9725 section 4.2 wants 200.
        return Response(status: .ok)
    }

    /// The session that the path names, for who opened it.
    private func session(_ request: Request, _ context: ApiContext) async throws -> (ParticipantID, WHIPResource) {
        let token = try request.bearer()
        let meeting = try await hub.findHere(context.parameters.require("id"))
        guard let id = try ParticipantID(context.parameters.require("resource")) else {
            throw MeetingError.participantNotFound
        }
        let resource = try await hub.resource(id, in: meeting.id, stream)
        guard Secret.equal(token.utf8, resource.token.utf8) else { throw Problem(MeetingError.forbidden) }
        return (id, resource)
    }

    // MARK: Shared

    private func options(_ methods: [HTTPRequest.Method], _ fields: HTTPFields) -> Response {
        let names = methods.map(\.rawValue).joined(separator: ", ")
        var headers = fields
        headers[.allow] = names
        headers[.accessControlAllowMethods] = names
        headers[.accessControlAllowHeaders] = "Authorization, Content-Type, If-Match"
        // Seconds: two hours is what Chromium takes at most.
        headers[.accessControlMaxAge] = "7200"
        return Response(status: .noContent, headers: headers)
    }

    private func refusal(_ methods: [HTTPRequest.Method]) -> Response {
        var response = Problem(405, "method_not_allowed", "This address does not have that method.").response()
        response.headers[.allow] = methods.map(\.rawValue).joined(separator: ", ")
        return response
    }

    private func wrongType(_ header: HTTPField.Name, _ type: String) -> Response {
        var response = Problem(415, "unsupported_media_type", "This call takes \(type).").response()
        response.headers[header] = type
        return response
    }
}

extension HTTPField.Name {
    /// RFC 9725 section 4.2 (W3C Linked Data Platform), RFC 5789 section 3.1.
    static let acceptPost = HTTPField.Name("Accept-Post")!
    static let acceptPatch = HTTPField.Name("Accept-Patch")!
    /// RFC 8288.
    static let link = HTTPField.Name("Link")!
}

extension Request {
    /// Whether the body says that it is of this media type, whatever parameters it names.
    fileprivate func isOf(_ type: String) -> Bool {
        headers[.contentType].map { MediaRange($0).name == type } ?? false
    }

    /// RFC 9110 section 12.5.1; without the header everything is acceptable.
    fileprivate func accepts(_ type: String) -> Bool {
        let ranges = headers[values: .accept].flatMap { $0.split(separator: ",") }.map { MediaRange($0) }
        return ranges.isEmpty || ranges.contains { $0.covers(type) }
    }

    /// The body as text.
    ///
    /// - Throws: `Problem` 413 above 64 KiB, 400 where it is not UTF-8.
    fileprivate func text() async throws -> String {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: ApiConfiguration.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge
        }
        guard let text = String(validating: buffer.readableBytesView, as: UTF8.self) else {
            throw Problem.malformed("The body is not UTF-8.")
        }
        return text
    }
}
