import Hummingbird
import Meetings
import Store

/// `/api/v1/meetings` (the page REST of the documentation).
struct MeetingRoutes: Sendable {
    let configuration: ApiConfiguration
    let hub: MeetingHub
    let tokens: TokenAuthority
    let limiter: AddressLimiter?
    let clock: any ApiClock

    func add(to router: Router<ApiContext>) {
        let check = OriginCheck<ApiContext>(origins: Origins(configuration))
        let meetings = router.group("api/v1/meetings").add(middleware: check)
        let calls = [
            "", "/end", "/lock", "/unlock", "/join", "/leave", "/chat", "/polls", "/polls/:poll_id",
            "/polls/:poll_id/close",
        ]
        .map { RouterPath(":id" + $0) }
        for path in [RouterPath("")] + calls {
            meetings.on(path, method: .options) { _, _ in check.preflight() }
        }
        meetings.post { request, context in try await create(request, context) }
        meetings.get { request, _ in try await list(request) }
        meetings.get(":id") { request, context in try await read(request, context) }
        meetings.patch(":id") { request, context in try await change(request, context) }
        meetings.delete(":id") { request, context in try await end(request, context) }
        meetings.post(":id/end") { request, context in try await end(request, context) }
        meetings.post(":id/lock") { request, context in try await lock(true, request, context) }
        meetings.post(":id/unlock") { request, context in try await lock(false, request, context) }
        meetings.post(":id/join") { request, context in try await join(request, context) }
        meetings.post(":id/leave") { request, context in try await leave(request, context) }
        meetings.post(":id/chat") { request, context in try await say(request, context) }
        meetings.get(":id/chat") { request, context in try await chat(request, context) }
        addPolls(to: meetings)
    }

    // MARK: The service's calls

    private func create(_ request: Request, _ context: ApiContext) async throws -> Response {
        try limiter?.admit(context.client(of: request), at: clock.now)
        let token = try tokens.service(request.bearer())
        guard token.grants(Grants.create) else { throw Problem(MeetingError.forbidden) }
        let json = try await request.json(PlanJSON.self)
        let plan = try json.applied(to: MeetingPlan())
        let password = json.password.flatMap { $0.isEmpty ? nil : $0 }
        let meeting = try await hub.create(
            plan, owner: token.sub, password: hash(password), by: author(token, request, context))
        let answer = MeetingJSON(meeting, base: base(request)).withSecrets(of: meeting, password: password)
        var response = Response.json(answer, status: .created)
        response.headers[.location] = "/api/v1/meetings/\(meeting.id)"
        return response
    }

    private func list(_ request: Request) async throws -> Response {
        let token = try tokens.service(request.bearer())
        let query = request.uri.queryParameters
        guard let limit = query["limit"].map({ Int($0) }) ?? 50, (1...200).contains(limit) else {
            throw Problem(422, "invalid_field", "limit: from 1 to 200")
        }
        let after = query["after"].flatMap { MeetingID(String($0)) }
        guard (after == nil) == (query["after"] == nil) else {
            throw Problem(422, "invalid_field", "after: not an identifier")
        }
        let owner = token.grants(Grants.admin) ? nil : token.sub
        let (page, next) = await hub.list(owner: owner, after: after, limit: limit)
        let base = base(request)
        return .json(MeetingListJSON(meetings: page.map { MeetingJSON($0, base: base) }, next: next?.rawValue))
    }

    private func read(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, _) = try await owned(request, context)
        return .json(MeetingJSON(meeting, base: base(request)))
    }

    private func change(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await owned(request, context)
        let json = try await request.json(PlanJSON.self)
        let plan = try json.applied(to: meeting.plan)
        var password: PasswordHash??
        if let given = json.password { password = .some(given.isEmpty ? nil : try hash(given)) }
        let changed = try await hub.change(meeting.id, to: plan, password: password, by: author)
        return .json(MeetingJSON(changed, base: base(request)))
    }

    private func end(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await controlled(.end, request, context)
        try await hub.end(meeting.id, reason: .ended, by: author)
        return .noContent
    }

    private func lock(_ isLocked: Bool, _ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await controlled(isLocked ? .lock : .unlock, request, context)
        try await hub.setLocked(isLocked, meeting.id, by: author)
        return .noContent
    }

    // MARK: The participant's calls

    private func join(_ request: Request, _ context: ApiContext) async throws -> Response {
        try request.requireJSON()
        try limiter?.admit(context.client(of: request), at: clock.now)
        let meeting = try await meeting(request, context)
        let json = try await request.json(JoinJSON.self)
        var (isHost, isVouched) = (false, false)
        let isService = request.headers[.authorization] != nil
        if isService {
            let token = try tokens.service(request.bearer())
            isVouched = token.grants(Grants.admin) || token.sub == meeting.owner
            isHost = token.grants(Grants.admin) || (token.sub == meeting.owner && token.grants(Grants.host))
        }
        let isPanelist = json.panelist ?? false
        guard !isPanelist || isVouched else { throw Problem(MeetingError.forbidden) }
        let asked = JoinRequest(
            displayName: json.displayName, password: json.password, hostKey: json.hostKey,
            isHost: isHost && !isPanelist, isVouched: isVouched, isPanelist: isPanelist)
        let arrival = Arrival(
            way: .call, address: context.client(of: request), isVouched: isService, via: try request.via())
        let (participant, now) = try await request.located { try await hub.join(meeting.id, asked, arrival) }
        let expires = clock.now + configuration.limits.connectTime
        let token = try tokens.issue(participant, in: meeting.id, expires: expires)
        return .json(
            JoinedJSON(
                participant, in: now, token: token, signaling: signalingURL(request), media: configuration.mediaServer,
                iceServers: configuration.turn?.servers(for: participant.id, now: clock.utc) ?? []))
    }

    private func leave(_ request: Request, _ context: ApiContext) async throws -> Response {
        let bearer = try tokens.participant(request.bearer())
        let meeting = try await meeting(request, context)
        let json = try await request.json(LeaveJSON.self)
        guard bearer.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
        guard let leaver = ParticipantID(json.participantId), meeting.participants[leaver] != nil else {
            throw MeetingError.participantNotFound
        }
        guard leaver == bearer.id else { throw Problem(MeetingError.forbidden) }
        try await hub.leave(leaver, reason: .left)
        return .noContent
    }

    // MARK: Shared

    private func meeting(_ request: Request, _ context: ApiContext) async throws -> Meeting {
        try await hub.meeting(of: request, context)
    }

    /// The meeting, for the service user that made it or an admin.
    func owned(
        _ request: Request, _ context: ApiContext
    ) async throws -> (Meeting, HostDecision.Author) {
        let token = try tokens.service(request.bearer())
        let meeting = try await meeting(request, context)
        guard token.sub == meeting.owner || token.grants(Grants.admin) else { throw Problem(MeetingError.forbidden) }
        return (meeting, author(token, request, context))
    }

    /// The user for whom a service calls.
    private func author(_ token: ServiceToken, _ request: Request, _ context: ApiContext) -> HostDecision.Author {
        HostDecision.Author(.service(user: token.sub), from: context.client(of: request))
    }

    /// The meeting, for whom `owned` answers and for participants with the host controls.
    func controlled(
        _ action: HostDecision.Action, _ request: Request, _ context: ApiContext
    ) async throws -> (Meeting, HostDecision.Author) {
        if let session = try? tokens.participant(request.bearer()) {
            let meeting = try await meeting(request, context)
            guard session.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
            let author = HostDecision.Author(.participant(session.id), from: context.client(of: request))
            guard await hub.role(of: session.id, in: meeting.id)?.controls == true else {
                await hub.noteRefusal(of: action, by: author, in: meeting.id)
                throw Problem(MeetingError.forbidden)
            }
            return (meeting, author)
        }
        return try await owned(request, context)
    }

    private func hash(_ password: String?) throws -> PasswordHash? {
        guard let password else { return nil }
        guard password.count <= configuration.limits.password,
            password.utf8.count <= configuration.limits.password * 4
        else {
            throw MeetingError.invalid(field: "password", reason: "at most \(configuration.limits.password) characters")
        }
        return PasswordHash(password, salt: TokenAuthority.freshSecret(), by: PasswordDerivation.digest)
    }

    /// The address that clients reach us by, without a slash at its end.
    private func base(_ request: Request) -> String {
        if let url = configuration.publicURL { return ApiConfiguration.trimmed(url) }
        return "\(configuration.certificates == nil ? "http" : "https")://\(request.head.authority ?? "localhost")"
    }

    private func signalingURL(_ request: Request) -> String {
        configuration.ownSocket ?? ApiConfiguration.socket(at: base(request))
    }
}

extension MeetingHub {
    /// The meeting that the path names.
    ///
    /// - Throws: what `find` throws, with the address of the same call elsewhere.
    nonisolated func meeting(of request: Request, _ context: ApiContext) async throws -> Meeting {
        try await request.located { try await find(context.parameters.require("id"), via: request.via()) }
    }
}
