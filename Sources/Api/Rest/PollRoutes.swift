import Hummingbird
import Meetings
import Store

/// `/api/v1/meetings/{id}/polls` (the page REST of the documentation).
extension MeetingRoutes {
    func addPolls(to meetings: RouterGroup<ApiContext>) {
        meetings.get(":id/polls") { request, context in try await polls(request, context) }
        meetings.post(":id/polls") { request, context in try await createPoll(request, context) }
        meetings.post(":id/polls/:poll_id/close") { request, context in try await closePoll(request, context) }
        meetings.delete(":id/polls/:poll_id") { request, context in try await deletePoll(request, context) }
    }

    /// Who is in the meeting reads what it may; the owner's service as a host does.
    private func polls(_ request: Request, _ context: ApiContext) async throws -> Response {
        if let session = try? tokens.participant(request.bearer()) {
            let meeting = try await hub.meeting(of: request, context)
            guard session.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
            return .json(try await hub.polls(of: meeting.id, for: session.id))
        }
        let (meeting, _) = try await owned(request, context)
        return .json(PollListJSON(polls: meeting.polls.polls.map { PollJSON($0, for: .service) }))
    }

    private func createPoll(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await controlled(.pollCreate, request, context)
        let json = try await request.json(PollDraftJSON.self)
        let poll = try await hub.createPoll(json.draft, in: meeting.id, by: author)
        var response = Response.json(PollJSON(poll, for: author.reader), status: .created)
        response.headers[.location] = "/api/v1/meetings/\(meeting.id)/polls"
        return response
    }

    private func closePoll(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await controlled(.pollClose, request, context)
        let id = try PollID(named: context.parameters.require("poll_id"))
        let poll = try await hub.closePoll(id, in: meeting.id, by: author)
        return .json(PollJSON(poll, for: author.reader))
    }

    private func deletePoll(_ request: Request, _ context: ApiContext) async throws -> Response {
        let (meeting, author) = try await controlled(.pollDelete, request, context)
        let id = try PollID(named: context.parameters.require("poll_id"))
        try await hub.deletePoll(id, in: meeting.id, by: author)
        return .noContent
    }
}

extension HostDecision.Author {
    /// Who has the host controls reads as it is.
    fileprivate var reader: PollReader {
        switch actor {
        case .service: .service
        case .participant(let id): .participant(id, isHost: true)
        }
    }
}
