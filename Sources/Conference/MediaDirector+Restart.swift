import Agents
import Mailbox
import Meetings

/// How a session goes on when its client changes its address (RFC 8445 section 9).
extension MediaDirector {
    /// Answers a later offer of the participant's session. Its worker answers checks with the new credentials from then on,
    /// and with the old ones until the new pair is in use.
    ///
    /// - Returns: the SDP answer; nil for a participant without a session, and for the offer of another one.
    func goOn(_ participant: ParticipantID, _ offer: String, now: UInt64) throws(MediaError) -> String? {
        guard let member = members[participant] else { return nil }
        let place = try negotiate(offer, member.session, after: member.negotiation)
        guard place.negotiation.isContinuation else { return nil }
        if place.negotiation.ufrag != member.negotiation.ufrag {
            workers[member.worker].send(
                .restartICE(
                    RestartICE(session: place.session, ufragSecret: place.secret, password: place.password)))
            agents[member.session]?.extend(to: now + options.connectTimeout)
            statistics.restarts += 1
            logRestart(of: member)
        }
        let answer = place.negotiation.answer
        member.negotiation = place.negotiation
        return answer
    }
}
