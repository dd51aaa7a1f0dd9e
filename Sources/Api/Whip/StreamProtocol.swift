import Conference
import Meetings

/// What pushes or pulls one stream by HTTP.
enum StreamProtocol: String, CaseIterable, Sendable {
    /// Publishes (RFC 9725).
    case whip
    /// Plays (draft-ietf-wish-whep).
    case whep

    /// The name of a participant whose request does not say one.
    var defaultName: String {
        switch self {
        case .whip: "Stream"
        case .whep: "Player"
        }
    }
}

/// A participant's tie to HTTP: the session of RFC 9725, named by the participant's identifier.
struct WHIPResource: Sendable {
    var stream: StreamProtocol
    /// The bearer token that opened it, which its other requests show too.
    var token: String
    /// Names this ICE session (RFC 9725 section 4.3).
    var entityTag: String
    /// What the media side answered, with its latest credentials.
    var offer: OneWayOffer
    /// What a player shows.
    var subject: MediaView.Subject

    /// Whose leaving ends it.
    var source: ParticipantID? {
        guard case .participant(let participant) = subject else { return nil }
        return participant
    }
}

/// What a client asks for with its offer.
struct WHIPRequest: Sendable {
    var stream: StreamProtocol
    var sdp: String
    var subject: MediaView.Subject
    var token: String
    /// The token may still open a place for the first time.
    var isFresh: Bool
    /// What limits by address count by.
    var address: String
}

/// What the client is answered.
struct WHIPAnswer: Sendable {
    var sdp: String
    var entityTag: String
    var iceServers: [ICEServer]
}
