import Logging
import Mailbox

/// A line for each Session's start, for each ICE restart, and for its end. No address and no key: those who read logs need neither.
extension MediaDirector {
    func logStart(of member: MediaMember) {
        logger.info("session opened", metadata: Self.names(of: member))
    }

    func logRestart(of member: MediaMember) {
        logger.info("ICE restarted", metadata: Self.names(of: member))
    }

    func logEnd(of member: MediaMember, _ reason: String) {
        var metadata = Self.names(of: member)
        metadata["reason"] = "\(reason)"
        metadata["connected"] = "\(agents[member.session]?.isConnected ?? false)"
        logger.info("session closed", metadata: metadata)
    }

    private static func names(of member: MediaMember) -> Logger.Metadata {
        [
            "meeting_id": "\(member.meeting)", "participant_id": "\(member.id)", "worker": "\(member.worker)",
            "session": "\(member.session.raw)",
        ]
    }
}
