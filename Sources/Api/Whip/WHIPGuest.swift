import Meetings

/// Whom a bearer token lets in: one that has a place already, or somebody new.
enum WHIPGuest {
    case place(ParticipantID, isFresh: Bool)
    case newcomer(JoinRequest)

    /// The token may open a place for the first time.
    var isFresh: Bool {
        switch self {
        case .place(_, let isFresh): isFresh
        case .newcomer: true
        }
    }

    /// Takes the session token of a join, and a service's token.
    ///
    /// - Returns: nil for a token that is neither.
    /// - Throws: `Problem` 401 of a service's token that has expired, 403 of one for another meeting.
    init?(_ token: String, name: String, of meeting: Meeting, by tokens: TokenAuthority) throws {
        if let session = try? tokens.participant(token) {
            guard session.meeting == meeting.id else { throw Problem(MeetingError.forbidden) }
            self = .place(session.id, isFresh: session.isFresh)
            return
        }
        do {
            let service = try tokens.service(token)
            let isHost = service.grants(Grants.admin) || (service.sub == meeting.owner && service.grants(Grants.host))
            let isVouched = service.grants(Grants.admin) || service.sub == meeting.owner
            self = .newcomer(
                JoinRequest(
                    displayName: name, isHost: isHost, isVouched: isVouched,
                    isPanelist: isVouched && meeting.plan.settings.webinar))
        } catch let problem as Problem {
            if problem.code == "token_expired" { throw problem }
            return nil
        }
    }
}
