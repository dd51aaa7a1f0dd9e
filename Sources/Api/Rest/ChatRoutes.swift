import Hummingbird
import Meetings

/// `/api/v1/meetings/{id}/chat` (the page REST of the documentation).
extension MeetingRoutes {
    func say(_ request: Request, _ context: ApiContext) async throws -> Response {
        let session = try tokens.participant(request.bearer())
        let meeting = try await hub.meeting(of: request, context)
        guard session.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
        let json = try await request.json(ChatDraftJSON.self)
        let message = try await hub.say(json.draft, by: session.id)
        return .json(ChatJSON(message), status: .created)
    }

    /// Who is in the meeting reads what it may; the owner's service what all were told.
    func chat(_ request: Request, _ context: ApiContext) async throws -> Response {
        let reader: ChatReader
        let meeting: Meeting
        if let session = try? tokens.participant(request.bearer()) {
            meeting = try await hub.meeting(of: request, context)
            guard session.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
            reader = .participant(session.id)
        } else {
            meeting = try await owned(request, context).0
            reader = .everybody
        }
        let query = request.uri.queryParameters
        guard let limit = query["limit"].map({ Int($0) }) ?? 50, (1...200).contains(limit) else {
            throw Problem(422, "invalid_field", "limit: from 1 to 200")
        }
        let place: ChatPlace
        switch (query["before"], query["after"]) {
        case (nil, nil): place = .newest
        case (let before?, nil): place = .before(try ChatMessageID(named: String(before)))
        case (nil, let after?): place = .after(try ChatMessageID(named: String(after)))
        default: throw Problem(422, "invalid_field", "before, after: only one of them")
        }
        let search = try query["query"].map { try ChatSearch(String($0)) }
        return .json(
            ChatPageJSON(try await hub.history(of: meeting.id, place, for: reader, search: search, limit: limit)))
    }
}
