import Conference
import Hummingbird
import Meetings

/// What the address of an endpoint says behind its question mark.
struct StreamQuery {
    let name: String
    let subject: MediaView.Subject

    /// - Throws: `Problem` 422; 404 `participant_not_found`.
    init(_ request: Request, _ stream: StreamProtocol, in meeting: Meeting) throws {
        let query = request.uri.queryParameters
        name = query["name"].map(String.init) ?? stream.defaultName
        switch (stream, query["participant"], query["source"]) {
        case (.whip, _, _): subject = .tiles
        case (.whep, let participant?, nil):
            guard let id = ParticipantID(String(participant)), meeting.participants[id]?.presence.isVisible == true
            else {
                throw MeetingError.participantNotFound
            }
            subject = .participant(id)
        case (.whep, nil, nil), (.whep, nil, "speaker"): subject = .speaker
        case (.whep, nil, "screen"): subject = .screen
        case (.whep, _?, _?): throw Problem(422, "invalid_field", "participant and source: only one of them")
        case (.whep, nil, _?): throw Problem(422, "invalid_field", "source: speaker or screen")
        }
    }
}
