import Agents
import Meetings

/// An entry of `ice_servers`: the browsers' RTCIceServer.
struct ICEServer: Encodable, Equatable {
    var urls: [String]
    var username: String
    var credential: String
}

extension TURNConfiguration {
    /// The relay as a participant is told it, with a credential of its own; empty when there is nothing to tell.
    func servers(for participant: ParticipantID, now: Timestamp) -> [ICEServer] {
        guard !urls.isEmpty,
            let (username, credential) = secrets.issue(
                user: participant.rawValue, lifetime: credentialLifetime, now: Int64(now.seconds))
        else { return [] }
        return [ICEServer(urls: urls, username: username, credential: credential)]
    }
}
