import Mailbox
import Meetings

/// Who of a meeting sees and hears whom. Somebody who goes to another room keeps its Session, Tracks and Slots: what is in
/// the Slots alone changes.
extension MediaDirector {
    public func arrange(_ breakouts: Breakouts, in meeting: MeetingID, number: UInt64) async {
        let before = arrangements[meeting]
        guard number > before?.number ?? 0 else { return }
        defer { settle() }
        let places = (old: before?.places ?? [:], new: breakouts.places)
        let moved = Set(places.old.keys).union(places.new.keys)
            .filter { places.old[$0] != places.new[$0] && isMedia($0, in: meeting) }
            .sorted { $0.rawValue < $1.rawValue }
        for participant in moved { leave(participant, MeetingRoom(meeting, places.old[participant])) }
        arrangements[meeting] = RoomArrangement(number: number, places: places.new, voice: breakouts.voice)
        for participant in moved { enterAnew(participant, in: meeting) }
        spreadVoice(in: meeting, Set(places.old.values))
        forgetArrangement(of: meeting)
    }

    /// Forgets what says nothing of a meeting in which nobody is.
    func forgetArrangement(of meeting: MeetingID) {
        guard let known = arrangements[meeting], known.places.isEmpty, known.voice == nil else { return }
        if rooms(of: meeting).isEmpty { arrangements[meeting] = nil }
    }

    /// The room that somebody is in.
    func room(of participant: ParticipantID, in meeting: MeetingID) -> MeetingRoom {
        MeetingRoom(meeting, arrangements[meeting]?.places[participant])
    }

    /// The rooms of a meeting in which somebody is.
    func rooms(of meeting: MeetingID) -> [MeetingRoom] {
        let breakouts = Set(arrangements[meeting].map { Array($0.places.values) } ?? [])
        return ([MeetingRoom(meeting)] + breakouts.map { MeetingRoom(meeting, $0) }).filter { meetings[$0] != nil }
            .sorted()
    }

    /// The rooms where somebody is seen or heard.
    func rooms(with participant: ParticipantID, in meeting: MeetingID) -> [MeetingRoom] {
        arrangements[meeting]?.voice == participant ? rooms(of: meeting) : [room(of: participant, in: meeting)]
    }

    /// Puts somebody into a room, which is made if need be.
    func enter(_ room: MeetingRoom, _ body: (inout MediaMeeting) -> Void) {
        if meetings[room] == nil {
            var fresh = MediaMeeting()
            _ = fresh.setVoice(voice(in: room.meeting))
            meetings[room] = fresh
        }
        body(&meetings[room, default: MediaMeeting()])
    }

    /// Notes how loud somebody is in its room.
    func note(_ level: UInt8, of source: SourceID, in meeting: MeetingID) {
        let room = room(of: source.participant, in: meeting)
        meetings[room]?.note(source, level: level)
        sounding.insert(room)
    }

    /// What somebody gives may be otherwise now: where its voice is heard in all rooms, these are told.
    func followVoice(of participant: ParticipantID, in meeting: MeetingID) {
        if arrangements[meeting]?.voice == participant { spreadVoice(in: meeting) }
    }

    // MARK: Parts

    /// Whether the media side has it in this meeting, here or from another PoP.
    private func isMedia(_ participant: ParticipantID, in meeting: MeetingID) -> Bool {
        if let member = members[participant] { return member.meeting == meeting }
        return trunks.remotes[participant].map { $0.isShown && $0.meeting == meeting } ?? false
    }

    private func enterAnew(_ participant: ParticipantID, in meeting: MeetingID) {
        let room = room(of: participant, in: meeting)
        let remote = trunks.remotes[participant].flatMap { $0.isShown ? $0 : nil }
        if let member = members[participant] {
            // It lists people of the other room: until its client says another one, it is shown everybody here in turn.
            if member.view.subject == .tiles { member.view = MediaView(layout: member.view.layout) }
            member.filled = [nil, nil, nil]
            enter(room) { $0.join(member) }
        } else if let remote {
            enter(room) { $0.join(participant, serial: remote.publisher.serial) }
        }
        if remote != nil { updateRemote(participant) }
        updateSources(of: participant)
        touch([participant])
    }

    private func spreadVoice(in meeting: MeetingID, _ former: Set<BreakoutRoomID> = []) {
        let source = voice(in: meeting)
        let rooms = Set(rooms(of: meeting)).union(former.map { MeetingRoom(meeting, $0) })
        for room in rooms.sorted() { touch(meetings[room]?.setVoice(source) ?? []) }
    }

    /// The microphone that is heard in all rooms, while it gives something.
    private func voice(in meeting: MeetingID) -> SourceID? {
        guard let host = arrangements[meeting]?.voice else { return nil }
        let sources =
            publishingMember(host)?.sources() ?? trunks.remotes[host].flatMap { $0.isShown ? $0.sources : nil }
        return sources.map { $0.microphone != .none } == true ? SourceID(host, .microphone) : nil
    }
}
