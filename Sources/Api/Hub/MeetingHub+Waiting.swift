import Meetings
import Store

/// The waiting room: who waits, and how hosts let people in.
extension MeetingHub {
    /// Has somebody with a socket wait, and tells the hosts.
    ///
    /// - Throws: `participantNotFound`; `Problem` 429 `too_many_waiting`.
    func wait(
        _ line: SignalingLine, in meeting: MeetingID, _ join: SocketJoin, _ socket: any SignalingSocket
    ) throws {
        guard !socket.isClosing, let home = catalog.meetings[meeting] else { throw MeetingError.participantNotFound }
        let site = EndSite.of(line.address)
        let neighbours = home.guests.count { guest in
            guest.id != line.id && lines[guest.id].map { EndSite.of($0.address) } == site
        }
        // The list is for all who come, not for one of them.
        guard neighbours < max(1, catalog.limits.waitingRoom / 4) else {
            throw Problem(
                429, "too_many_waiting", "Too many people of this address wait to be let in.", retryAfter: 30)
        }
        let wasWaiting = home.participants[line.id]?.presence == .waiting
        let participant = try catalog.wait(line.id)
        leaveDoor(of: line, for: socket)
        line.door = socket
        unattached.remove(line.id)
        medialess.noteWaiting(line.id)
        socket.markJoined()
        socket.send(ServerMessage.Waiting(participant, in: home, token: join.token, id: join.request))
        guard !wasWaiting else { return }
        tellHosts(of: meeting, .init(arrived: [.init(participant)]))
        logger.info(
            "participant waits", metadata: ["meeting_id": "\(meeting)", "participant_id": "\(line.id)"])
    }

    /// The socket of somebody who waits is another's now, or wants to go.
    func withdraw(_ id: ParticipantID, over socket: any SignalingSocket) async {
        if lines[id]?.door === socket { await withdraw(id) }
    }

    /// Another socket, or this one, has what the one that waits stood for.
    func leaveDoor(of line: SignalingLine, for socket: any SignalingSocket) {
        if let old = line.door, old !== socket {
            old.send(ServerMessage.Removed(reason: .replaced))
            old.close(.replaced, "replaced")
        }
        line.door = nil
    }

    /// The socket of somebody who waits is gone.
    func stopWaiting(_ line: SignalingLine, in meeting: MeetingID) {
        line.door = nil
        guard catalog.participant(line.id)?.presence == .waiting else { return }
        catalog.stopWaiting(line.id, at: clock.now)
        tellHosts(of: meeting, .init(left: [line.id.rawValue]))
    }

    // MARK: Hosts

    /// Lets somebody in, or all who wait in the order in which they came.
    ///
    /// - Throws: `forbidden`; `participantNotFound` for one who does not wait; `meetingFull`: those before it are in.
    func admit(
        _ id: ParticipantID?, by host: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) throws {
        let (meeting, author) = try controls(.admit, host, socket, from: address, target: id)
        for guest in try guests(id, in: meeting) {
            try letIn(guest, to: meeting)
            store?.note(HostDecision(.admit, of: meeting, by: author, at: clock.now, target: guest))
        }
    }

    /// Sends somebody away who waits.
    ///
    /// - Throws: `forbidden`; `participantNotFound` for one who does not wait.
    func deny(
        _ id: ParticipantID, by host: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) throws {
        let (meeting, author) = try controls(.deny, host, socket, from: address, target: id)
        for guest in try guests(id, in: meeting) {
            let socket = lines[guest]?.door
            _ = try takeOut(guest, reason: .removed, keepsSocket: true)
            store?.note(HostDecision(.deny, of: meeting, by: author, at: clock.now, target: guest))
            socket?.send(ServerMessage.Denied())
            socket?.close(.normalClosure, "denied")
        }
    }

    /// Where newcomers come in by themselves, those do so who waited, as far as there is room.
    func openWaitingRoom(of meeting: MeetingID) {
        guard let home = catalog.meetings[meeting], home.isOpen else { return }
        for guest in home.guests { try? letIn(guest.id, to: meeting) }
    }

    /// Whether one who comes has a place, or gets one by itself.
    func takesIn(_ id: ParticipantID, to meeting: MeetingID) -> Bool {
        guard let home = catalog.meetings[meeting], home.participants[id]?.isAdmitted == false else { return true }
        return home.isOpen && (try? letIn(id, to: meeting)) != nil
    }

    private func guests(_ id: ParticipantID?, in meeting: MeetingID) throws -> [ParticipantID] {
        let waiting = catalog.meetings[meeting]?.waiting.map(\.id) ?? []
        guard let id else { return waiting }
        guard waiting.contains(id) else { throw MeetingError.participantNotFound }
        return [id]
    }

    private func letIn(_ id: ParticipantID, to meeting: MeetingID) throws {
        let isWaiting = catalog.participant(id)?.presence == .waiting
        try catalog.admit(id, at: clock.now)
        medialess.noteAdmitted(id, at: clock.now)
        lines[id]?.door?.send(ServerMessage.Admitted())
        if isWaiting { tellHosts(of: meeting, .init(left: [id.rawValue])) }
    }

    // MARK: What hosts hear

    /// Tells one who has the host controls who waits.
    ///
    /// - Parameter isReturn: it may know of some who are gone.
    func tellWaiting(to line: SignalingLine, in meeting: MeetingID, isReturn: Bool = false) {
        guard let home = catalog.meetings[meeting], home.participants[line.id]?.role.controls == true else { return }
        let waiting = home.waiting
        guard home.plan.settings.waitingRoom || !waiting.isEmpty || isReturn else { return }
        tell(ServerMessage.WaitingRoom(whole: true, arrived: waiting.map { .init($0) }), line.id)
    }

    /// Tells all who have the host controls what has changed.
    func tellHosts(of meeting: MeetingID, _ change: ServerMessage.WaitingRoom) {
        guard let home = catalog.meetings[meeting] else { return }
        let frame = TextFrame.encode(change)
        for line in feeds[meeting]?.lines ?? [] where home.participants[line.id]?.role.controls == true {
            tell(frame, line.id)
        }
    }
}
