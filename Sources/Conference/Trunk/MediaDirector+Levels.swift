import Fleet
import Meetings

/// One ranking of speakers for the whole meeting: each PoP tells the others how loud its own people are. So a voice crosses
/// only when it is on the stage.
extension MediaDirector {
    /// Notes how loud a member is, for the other PoPs of its meeting.
    func noteLevel(of source: SourceID, in meeting: MeetingID, _ level: UInt8) {
        if trunks.peers[meeting] != nil { trunks.levels[meeting, default: [:]][source] = level }
    }

    /// Tells what was heard since the last time.
    func tellLevels() {
        let heard = trunks.levels
        trunks.levels = [:]
        for meeting in heard.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            let loudest = (heard[meeting] ?? [:]).sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            let levels = loudest.prefix(SoundLevel.limit).map { source, level in
                SoundLevel(participant: source.participant, role: source.role.rawValue, level: level)
            }
            for pop in trunks.peers[meeting] ?? [] where trunks.trunks[pop]?.isReady == true {
                tell(pop, .levels(meeting, levels))
            }
        }
    }

    func takeLevels(_ levels: [SoundLevel], in meeting: MeetingID, from pop: PoPName) {
        for level in levels {
            // Each PoP speaks for its own people.
            guard let remote = trunks.remotes[level.participant], remote.isShown, remote.meeting == meeting,
                remote.publisher.pop == pop, let role = SourceRole(rawValue: level.role), role.kind == .audio
            else { continue }
            note(level.level, of: SourceID(level.participant, role), in: meeting)
        }
    }
}
