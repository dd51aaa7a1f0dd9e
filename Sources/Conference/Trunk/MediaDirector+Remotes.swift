import Fleet
import Mailbox
import Meetings

/// Those who publish at other PoPs are in their meetings like members without Slots.
extension MediaDirector {
    public func setRemote(_ participant: ParticipantID, in meeting: MeetingID, _ remote: RemotePublisher?) async {
        defer { settle() }
        guard var remote else { return forgetRemote(participant) }
        remote.serial = min(remote.serial, MediaMeeting.lastSerial)
        guard let before = trunks.remotes[participant], before.meeting == meeting,
            before.publisher.serial == remote.serial
        else {
            forgetRemote(participant)
            trunks.remotes[participant] = RemoteMember(remote, in: meeting)
            return showRemote(participant)
        }
        guard before.publisher != remote else { return }
        trunks.remotes[participant]?.publisher = remote
        if before.publisher.pop != remote.pop { trunks.remotes[participant]?.isLost = false }
        let isElsewhere =
            before.publisher.publication != remote.publication || before.publisher.feeder != remote.feeder
        if isElsewhere { replaceImports(of: participant, now: lastPoll) }
        if trunks.remotes[participant]?.isShown == true { updateRemote(participant) } else { showRemote(participant) }
        if isElsewhere { showAnew(participant) }
    }

    public func setPeers(_ pops: [PoPName], of meeting: MeetingID) async {
        trunks.peers[meeting] = pops.isEmpty ? nil : pops
    }

    private func forgetRemote(_ participant: ParticipantID) {
        guard trunks.remotes[participant] != nil else { return }
        hideRemote(participant)
        trunks.remotes[participant] = nil
    }

    /// The member whose own session is what the others get of it.
    func publishingMember(_ participant: ParticipantID) -> MediaMember? {
        members[participant].flatMap { $0.isArriving ? nil : $0 }
    }

    /// Somebody who came from another PoP is connected here: from now on the others get its session's Tracks.
    func endArrival(of participant: ParticipantID) {
        guard let member = members[participant], member.isArriving else { return }
        member.isArriving = false
        trunks.remotes[participant]?.isShown = false
        let rooms = rooms(with: participant, in: member.meeting)
        for room in rooms { meetings[room]?.renew() }
        updateSources(of: participant)
        endImports(of: participant, now: lastPoll)
        for room in rooms { touch(Set(meetings[room]?.members.members.map { $0 } ?? [])) }
    }

    /// Puts it into its meeting, unless that is known to be wrong.
    func showRemote(_ participant: ParticipantID) {
        guard let remote = trunks.remotes[participant], !remote.isShown, !remote.isLost, members[participant] == nil
        else { return }
        trunks.remotes[participant]?.isShown = true
        enter(room(of: participant, in: remote.meeting)) { $0.join(participant, serial: remote.publisher.serial) }
        updateRemote(participant)
    }

    /// Takes it out of its meeting, with all that is taken of it.
    func hideRemote(_ participant: ParticipantID) {
        if members[participant]?.isArriving == true { return endArrival(of: participant) }
        endImports(of: participant, now: lastPoll)
        guard let remote = trunks.remotes[participant], remote.isShown else { return }
        trunks.remotes[participant]?.isShown = false
        leave(participant, room(of: participant, in: remote.meeting))
        followVoice(of: participant, in: remote.meeting)
    }

    func updateRemote(_ participant: ParticipantID) {
        guard let remote = trunks.remotes[participant] else { return }
        let touched = meetings[room(of: participant, in: remote.meeting)]?.update(
            participant, serial: remote.publisher.serial, gives: remote.sources)
        touch(touched ?? [])
        followVoice(of: participant, in: remote.meeting)
    }

    /// Fills the Slots anew that show it: what it is taken by may be another Track.
    func showAnew(_ participant: ParticipantID, _ role: SourceRole? = nil) {
        guard let remote = trunks.remotes[participant], remote.isShown else { return }
        for room in rooms(with: participant, in: remote.meeting) {
            let viewers = meetings[room]?.members.members.filter { viewer in
                members[viewer]?.slots.contains { slot in
                    slot.source?.participant == participant && (role == nil || slot.source?.role == role)
                } ?? false
            }
            guard let viewers, !viewers.isEmpty else { continue }
            meetings[room]?.renew()
            touch(Set(viewers))
        }
    }
}
