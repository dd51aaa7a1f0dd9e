import Conference
import Fleet
import Logging
import Meetings
import Store

/// Where REST, signaling and media meet: the meetings, and the sockets of those who are in them.
///
/// An actor, and state never changes across an `await` of its own: what was true before one is checked
/// again behind it.
actor MeetingHub {
    let media: any MediaPlane
    let clock: any ApiClock
    let turn: TURNConfiguration?
    /// Where a lost socket comes back to this PoP; nil: where it was opened.
    let ownSocket: String?
    let logger: Logger
    var catalog: MeetingCatalog
    var lines: [ParticipantID: SignalingLine] = [:]
    /// Of meetings that somebody is in.
    var feeds: [MeetingID: MeetingFeed] = [:]
    var generator: any RandomNumberGenerator & Sendable
    let drain: Drain
    let admission: Admission
    var guesses = GuessLimits()
    var unattached: UnattachedPlaces
    var medialess = MedialessPlaces()
    let relay: RelayPulse
    /// Nil without a fleet.
    let fleet: FleetMember?
    /// Nil where meetings are not shared with other PoPs.
    let sharing: (any SharedMeetings)?
    /// Nil where meetings live in memory alone.
    let store: MeetingStore?
    /// Counts the changes of meetings that were given to the Store.
    var lastChange: UInt64 = 0
    /// The last that each meeting has taken.
    var changes: [MeetingID: UInt64] = [:]
    /// Breakout rooms as people and the media side were told them, of meetings that have some, or had.
    var followed: [MeetingID: Breakouts] = [:]
    /// Counts what the media side was told of them.
    var arrangements: UInt64 = 0
    /// Meetings that other PoPs may have participants in.
    var shares: [MeetingID: MeetingShare] = [:]
    var requests = SharedRequests()
    var openings = MeetingOpenings()
    /// Which start of each PoP that is linked to this one.
    var linked: [PoPName: UInt64] = [:]
    /// Participants who are still to be told to move to another PoP.
    var moving: [ParticipantID] = []
    /// How long what happens in a meeting is gathered, before it is sent to everybody at once.
    let gatherTime: Duration
    /// The process ends: nobody is heard any more.
    private(set) var isStopping = false
    /// Messages of chats that were written, edited or deleted.
    var chatMessages: UInt64 = 0
    /// Seconds.
    var joinSeconds = Histogram(bounds: [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30])

    init(
        limits: Limits, media: any MediaPlane, turn: TURNConfiguration? = nil, ownSocket: String? = nil,
        drain: Drain = Drain(), admission: Admission = Admission(), unattachedPerAddress: Int = .max,
        relay: RelayPulse = RelayPulse(), fleet: FleetMember? = nil, sharing: (any SharedMeetings)? = nil,
        store: MeetingStore? = nil, gatherTime: Duration = .zero,
        clock: any ApiClock, generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        logger: Logger
    ) {
        self.media = media
        self.turn = turn
        self.ownSocket = ownSocket
        self.drain = drain
        self.admission = admission
        // A quarter of the node's places, and some on the smallest.
        unattached = UnattachedPlaces(limit: max(16, admission.places / 4), perAddress: unattachedPerAddress)
        self.relay = relay
        self.fleet = fleet
        self.sharing = sharing
        self.store = store
        self.gatherTime = gatherTime
        self.clock = clock
        self.generator = generator
        self.logger = logger
        var limits = limits
        // Who waits at one PoP is not known to hosts at the others.
        if sharing != nil { limits.waitingRoom = 0 }
        // A meeting's state goes between PoPs in one frame.
        if sharing != nil { limits.webinarParticipants = limits.participants }
        catalog = MeetingCatalog(limits: limits)
    }

    var reading: HubReading {
        HubReading(
            meetings: catalog.meetings.count, participants: catalog.participantCount, attached: attachedCount,
            medialess: medialess.count, joinSeconds: joinSeconds, chatMessages: chatMessages,
            wrongGuesses: guesses.wrong,
            refusedGuesses: guesses.refused,
            streams: lines.values.reduce(into: [:]) { counts, line in
                if let stream = line.resource?.stream { counts[stream, default: 0] += 1 }
            })
    }

    // MARK: Meetings

    func create(
        _ plan: MeetingPlan, owner: String, password: PasswordHash?, by author: HostDecision.Author? = nil
    ) async throws -> Meeting {
        guard drain.acceptsNewcomers else { throw Problem.draining }
        let made = try catalog.create(plan, owner: owner, password: password, at: clock.now, using: &generator)
        let (meeting, epoch) = try await claimed(made)
        try await keep(meeting, by: author)
        share(meeting, epoch: epoch)
        logger.info("meeting created", metadata: ["meeting_id": "\(meeting.id)"])
        return meeting
    }

    func list(owner: String?, after: MeetingID?, limit: Int) -> (page: [Meeting], next: MeetingID?) {
        catalog.list(owner: owner, after: after, limit: limit)
    }

    /// `password`: nil leaves it, `.some(nil)` removes it.
    func change(
        _ id: MeetingID, to plan: MeetingPlan, password: PasswordHash??, by author: HostDecision.Author? = nil
    ) async throws -> Meeting {
        let known = try catalog.find(id.rawValue)
        var record = known.record
        record.plan = try catalog.validated(plan, for: id, at: clock.now)
        if let password { record.password = password }
        if shares[id] != nil {
            try await decide(.record(record), in: id)
            return try catalog.find(id.rawValue)
        }
        try await change(known, to: record, by: author)
        await reseat(id)
        let meeting = try catalog.find(id.rawValue)
        tell(ServerMessage.MeetingUpdated(meeting: .init(meeting)), everybodyIn: id)
        openWaitingRoom(of: id)
        return meeting
    }

    func setLocked(_ isLocked: Bool, _ id: MeetingID, by author: HostDecision.Author? = nil) async throws {
        let known = try catalog.find(id.rawValue)
        if shares[id] != nil {
            if known.isLocked != isLocked { try await decide(.locked(isLocked), in: id) }
            return
        }
        try catalog.setLocked(isLocked, id)
        noteLock(isLocked, of: id, by: author)
        openWaitingRoom(of: id)
        let meeting = try catalog.find(id.rawValue)
        tell(ServerMessage.MeetingUpdated(meeting: .init(meeting)), everybodyIn: id)
    }

    /// Ends a meeting for all who are in it.
    ///
    /// - Parameter acknowledge: called once the end is stored, before anybody hears of it.
    /// - Throws: `Problem` 503 `store_unavailable`: it has ended, and that is not stored yet.
    func end(
        _ id: MeetingID, reason: EndReason, by author: HostDecision.Author? = nil,
        acknowledge: @Sendable () -> Void = {}
    ) async throws {
        _ = try catalog.find(id.rawValue)
        if shares[id] != nil {
            acknowledge()
            // The end comes to this PoP as to all others.
            return try await decide(.ended(reason), in: id)
        }
        guard reason == .ended else {
            store?.noteEnd(of: id, at: clock.now, reason: reason.rawValue)
            return await finish(id, reason: reason)
        }
        let isStored = await keepEnd(of: id, by: author)
        if isStored { acknowledge() }
        await finish(id, reason: reason)
        if !isStored { throw Problem.endNotStored }
    }

    /// Takes a meeting out that is over here.
    func finish(_ id: MeetingID, reason: EndReason) async {
        let share = shares[id]
        if let share { forgetRemotes(of: share) }
        guard let meeting = try? catalog.end(id) else { return }
        changes[id] = nil
        noteLeaves(from: meeting, reason: reason)
        if reason == .shutdown {
            keepPolls(of: meeting)
            putBack(meeting)
        }
        if let share {
            giveBack(share)
            if reason == .ended { sharing?.post(.noteEnd(id)) }
        }
        tell(ServerMessage.MeetingEnded(reason: reason), everybodyIn: id)
        flush(id)
        feeds[id] = nil
        for participant in meeting.participants.keys {
            unattached.remove(participant)
            medialess.remove(participant)
            let line = lines.removeValue(forKey: participant)
            line?.door?.send(ServerMessage.MeetingEnded(reason: reason))
            (line?.socket ?? line?.door)?.close(reason == .shutdown ? .goingAway : .normalClosure, "meeting ended")
        }
        logger.info("meeting ended", metadata: ["meeting_id": "\(id)", "reason": "\(reason.rawValue)"])
        for participant in meeting.participants.keys { await media.disconnect(participant) }
        if followed.removeValue(forKey: id) != nil { await arrange(id) }
    }

    // MARK: Participants

    /// For a newcomer without a socket yet.
    func join(_ id: MeetingID, _ request: JoinRequest, _ arrival: Arrival) async throws -> (Participant, Meeting) {
        let participant = try await admit(id, request, arrival)
        return (participant, try catalog.find(id.rawValue))
    }

    func role(of participant: ParticipantID, in meeting: MeetingID) -> Role? {
        catalog.meetings[meeting]?.participants[participant]?.role
    }

    /// - Parameter keepsSocket: the socket itself asked, is answered first, and closes behind that.
    func leave(_ id: ParticipantID, reason: LeaveReason, keepsSocket: Bool = false) async throws {
        let home = try takeOut(id, reason: reason, keepsSocket: keepsSocket)
        await endMedia(of: id, in: home)
    }

    /// What `leave` does at once; `endMedia` is to follow.
    func takeOut(_ id: ParticipantID, reason: LeaveReason, keepsSocket: Bool = false) throws -> MeetingID {
        guard let home = catalog.meetingID(of: id), catalog.participant(id)?.isElsewhere == false else {
            throw MeetingError.participantNotFound
        }
        let isBack = giveUpArrival(of: id, in: home)
        let left = isBack ? nil : try catalog.leave(id, at: clock.now)
        let isVisible = left?.presence.isVisible == true
        retract(id, in: home)
        unattached.remove(id)
        medialess.giveUp(id, at: clock.now)
        let line = lines.removeValue(forKey: id)
        if let line { feeds[home]?.remove(line) }
        if isVisible {
            store?.noteLeave(id, at: clock.now, reason: reason.rawValue)
            if let left {
                tell(ServerMessage.ParticipantLeft(participantId: id.rawValue, reason: reason), of: left, in: home)
            }
        }
        if left?.presence == .waiting { tellHosts(of: home, .init(left: [id.rawValue])) }
        if feeds[home]?.lines.isEmpty == true { feeds[home] = nil }
        findHost(for: home)
        openWaitingRoom(of: home)
        if !keepsSocket { (line?.socket ?? line?.door)?.close(.normalClosure, reason.rawValue) }
        logger.info(
            "participant left",
            metadata: ["meeting_id": "\(home)", "participant_id": "\(id)", "reason": "\(reason.rawValue)"])
        return home
    }

    func endMedia(of id: ParticipantID, in meeting: MeetingID) async {
        await media.disconnect(id)
        await endPlayers(of: id, in: meeting)
        await follow(in: meeting)
    }

    // MARK: Time

    /// Gives up those whose time has run out, and meetings that nobody will miss.
    func sweep() async {
        for id in catalog.overdue(at: clock.now) {
            // It may have come back while another one was taken out.
            guard let deadline = catalog.participant(id)?.presence.deadline, deadline <= clock.now else { continue }
            // Only the socket is away: where that is so for long, the media side tells when the media is gone, too.
            if lines[id]?.hasMedia == true { continue }
            try? await leave(id, reason: .lost)
        }
        for id in catalog.forgotten(at: clock.now) where shares[id]?.isHome ?? true {
            try? await end(id, reason: .empty)
        }
        await sweepBreakouts()
        sweepAudiences()
        endArrivals()
        moveNext()
        sweepShares()
    }

    /// Tells everybody that the node stops, and takes nobody in any more.
    func shutDown() async {
        isStopping = true
        drain.begin(for: .zero, stops: true, at: clock.now)
        for meeting in Array(catalog.meetings.values) {
            if mayGoOn(meeting.id) { await letGo(meeting) } else { await finish(meeting.id, reason: .shutdown) }
        }
        drain.finish()
    }
}
