import Meetings

/// What participants show each other for a moment.
extension MeetingHub {
    /// Of one participant at once and per second, and of a whole meeting: each goes to everybody.
    static let reactionBurst = 5
    static let reactionsPerSecond = 1.0
    static let meetingReactionBurst = 60
    static let meetingReactionsPerSecond = 30.0

    /// - Throws: `invalid` for what is not one emoji; `Problem` 409 `not_joined`, 429 `too_many_requests`.
    func react(with text: String, by id: ParticipantID, _ socket: any SignalingSocket) throws {
        let (meeting, line) = try current(id, socket)
        let wait =
            line.reactions.take(burst: Self.reactionBurst, perSecond: Self.reactionsPerSecond, at: clock.now)
            ?? feeds[meeting]?.reactions.take(
                burst: Self.meetingReactionBurst, perSecond: Self.meetingReactionsPerSecond, at: clock.now)
        guard wait == nil else {
            throw Problem(429, "too_many_requests", "Too many reactions at once.", retryAfter: 1)
        }
        tell(try catalog.react(id, with: text), of: id, in: meeting)
        publish(id, in: meeting)
    }

    /// Tells everybody in its room, the one who showed it too.
    func tell(_ reaction: Reaction, of id: ParticipantID, in meeting: MeetingID) {
        tell(
            ServerMessage.Reacted(participantId: id.rawValue, text: reaction.text),
            everybodyIn: room(of: id, in: meeting),
            mayWait: true)
    }
}
