/// All meetings of the node, in memory, found by identifier or number. An ended meeting is gone.
public struct MeetingCatalog: Sendable {
    public let limits: Limits
    public private(set) var meetings: [MeetingID: Meeting] = [:]
    private var numbers: [MeetingNumber: MeetingID] = [:]
    private var homes: [ParticipantID: MeetingID] = [:]
    /// How many of those are at other PoPs.
    private var elsewhere = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Everybody who joined here and has not left, with a socket or without.
    public var participantCount: Int { homes.count - elsewhere }

    // MARK: Meetings

    /// - Throws: `nodeFull`, and what `MeetingPlan.validated` throws.
    public mutating func create(
        _ plan: MeetingPlan, owner: String, password: PasswordHash? = nil, at now: Timestamp,
        using generator: inout some RandomNumberGenerator
    ) throws(MeetingError) -> Meeting {
        let plan = try plan.validated(at: now, within: limits)
        guard meetings.count < limits.meetings else { throw .nodeFull }
        let number = freeNumber(using: &generator)
        let meeting = Meeting(
            MeetingRecord(
                id: MeetingID(using: &generator), number: number, owner: owner, createdAt: now,
                hostKey: Secret.random(length: 12, using: &generator), plan: plan, password: password))
        meetings[meeting.id] = meeting
        numbers[number] = meeting.id
        return meeting
    }

    /// Gives a meeting another number.
    public mutating func renumber(
        _ id: MeetingID, using generator: inout some RandomNumberGenerator
    ) throws(MeetingError) -> Meeting {
        let old = try require(id).number
        let number = freeNumber(using: &generator)
        meetings[id]?.number = number
        numbers[old] = nil
        numbers[number] = id
        return try require(id)
    }

    private func freeNumber(using generator: inout some RandomNumberGenerator) -> MeetingNumber {
        var number = MeetingNumber(using: &generator)
        while numbers[number] != nil { number = MeetingNumber(using: &generator) }
        return number
    }

    /// The meeting that people name by its identifier or its number.
    public func find(_ reference: String) throws(MeetingError) -> Meeting {
        if let number = MeetingNumber(reference) {
            guard let id = numbers[number], let meeting = meetings[id] else { throw .meetingNotFound }
            return meeting
        }
        guard let id = MeetingID(reference), let meeting = meetings[id] else { throw .meetingNotFound }
        return meeting
    }

    /// One page of an owner's meetings (nil: everybody's), the oldest first, behind `cursor`.
    public func list(owner: String?, after cursor: MeetingID?, limit: Int) -> (page: [Meeting], next: MeetingID?) {
        let all = meetings.values
            .filter { owner == nil || $0.owner == owner }
            .sorted { ($0.createdAt, $0.id.rawValue) < ($1.createdAt, $1.id.rawValue) }
        let start = cursor.flatMap { cursor in all.firstIndex { $0.id == cursor }.map { $0 + 1 } } ?? 0
        let page = Array(all[start...].prefix(limit))
        return (page, start + page.count < all.count ? page.last?.id : nil)
    }

    /// The plan as it may become the meeting's, by `setRecord`.
    ///
    /// - Throws: `meetingNotFound`, `inProgress`, `breakoutOpen`, and what `MeetingPlan.validated` throws.
    public func validated(
        _ plan: MeetingPlan, for id: MeetingID, at now: Timestamp
    ) throws(MeetingError) -> MeetingPlan {
        let old = try require(id)
        // A meeting whose start has come may still change its topic.
        let reference = plan.startTime == old.plan.startTime ? old.createdAt : now
        if plan.settings.webinar != old.plan.settings.webinar {
            guard old.participants.isEmpty else { throw .inProgress }
            guard !old.breakouts.isOpen else { throw .breakoutOpen }
        }
        return try plan.validated(at: reference, within: limits)
    }

    /// Takes a meeting up that another PoP made. One that has its number already keeps it, and this one is found by its id.
    ///
    /// - Throws: `nodeFull`.
    public mutating func adopt(_ record: MeetingRecord) throws(MeetingError) -> Meeting {
        guard meetings[record.id] == nil else { return try require(record.id) }
        guard meetings.count < limits.meetings else { throw .nodeFull }
        meetings[record.id] = Meeting(record)
        if numbers[record.number] == nil { numbers[record.number] = record.id }
        return try require(record.id)
    }

    /// Takes a meeting up that was here before: nobody is in it, from now on, and its polls are closed.
    ///
    /// - Throws: `nodeFull`.
    @discardableResult
    public mutating func restore(
        _ record: MeetingRecord, isLocked: Bool, chat: ChatLog = ChatLog(), breakouts: Breakouts = Breakouts(),
        polls: PollBook = PollBook(), at now: Timestamp
    ) throws(MeetingError) -> Meeting {
        guard meetings[record.id] == nil else { return try require(record.id) }
        var meeting = try adopt(record)
        meeting.isLocked = isLocked
        meeting.chat = chat
        meeting.breakouts = breakouts
        meeting.polls = polls
        meeting.polls.closeAll()
        meeting.emptySince = now
        meetings[record.id] = meeting
        return meeting
    }

    /// The plan and the password as another PoP, or who changes them, says them.
    public mutating func setRecord(_ record: MeetingRecord) {
        meetings[record.id]?.plan = record.plan
        meetings[record.id]?.password = record.password
    }

    /// Takes a message of the chat in, or what one has become.
    ///
    /// - Returns: the message with its number; nil where nothing changed.
    @discardableResult
    public mutating func put(_ message: ChatMessage, in id: MeetingID) -> ChatMessage? {
        meetings[id]?.chat.put(message)
    }

    /// The chat as the meeting's Home has it.
    public mutating func setChat(_ chat: ChatLog, of id: MeetingID) { meetings[id]?.chat = chat }

    /// Opens, fills or closes breakout rooms.
    ///
    /// - Throws: `meetingNotFound`, and what `Breakouts.refusal` says.
    public mutating func apply(_ change: BreakoutChange, in id: MeetingID) throws(MeetingError) {
        if let refusal = try require(id).breakouts.refusal(of: change) { throw refusal }
        meetings[id]?.breakouts.apply(change)
    }

    /// The breakout rooms as the meeting's Home has them.
    public mutating func setBreakouts(_ breakouts: Breakouts, of id: MeetingID) {
        meetings[id]?.breakouts = breakouts
    }

    /// Changes a meeting's polls.
    ///
    /// - Returns: whether something changed.
    @discardableResult
    public mutating func apply(_ change: PollChange, in id: MeetingID) -> Bool {
        meetings[id]?.polls.apply(change) ?? false
    }

    /// The polls as the meeting's Home has them.
    public mutating func setPolls(_ polls: PollBook, of id: MeetingID) { meetings[id]?.polls = polls }

    /// Takes a question in, or what one has become.
    ///
    /// - Returns: whether something changed, and which questions made room.
    @discardableResult
    public mutating func put(_ question: Question, in id: MeetingID) -> (isNew: Bool, dropped: [QuestionID]) {
        meetings[id]?.questions.put(question) ?? (false, [])
    }

    /// The questions as the meeting's Home has them.
    public mutating func setQuestions(_ questions: QuestionBook, of id: MeetingID) {
        meetings[id]?.questions = questions
    }

    public mutating func setLocked(_ isLocked: Bool, _ id: MeetingID) throws(MeetingError) {
        _ = try require(id)
        meetings[id]?.isLocked = isLocked
    }

    /// Takes the meeting out; answers it as it was, with those who were in it.
    public mutating func end(_ id: MeetingID) throws(MeetingError) -> Meeting {
        guard let meeting = meetings.removeValue(forKey: id) else { throw .meetingNotFound }
        if numbers[meeting.number] == id { numbers[meeting.number] = nil }
        for participant in meeting.participants.values {
            homes[participant.id] = nil
            if participant.isElsewhere { elsewhere -= 1 }
        }
        return meeting
    }

    // MARK: Participants

    /// - Throws: `meetingNotFound`, and what `Meeting.join` throws.
    public mutating func join(
        _ id: MeetingID, _ request: JoinRequest, at now: Timestamp,
        using generator: inout some RandomNumberGenerator, by derive: PasswordHash.Derivation
    ) throws(MeetingError) -> Participant {
        _ = try require(id)
        let participant = ParticipantID(using: &generator)
        let limits = limits
        let joined = try with(id) { (meeting) throws(MeetingError) in
            try meeting.join(request, as: participant, at: now, within: limits, by: derive)
        }
        homes[participant] = id
        return joined
    }

    public func home(of participant: ParticipantID) -> Meeting? { homes[participant].flatMap { meetings[$0] } }

    /// The meeting that the participant is in.
    public func meetingID(of participant: ParticipantID) -> MeetingID? { homes[participant] }

    public func participant(_ id: ParticipantID) -> Participant? {
        homes[id].flatMap { meetings[$0]?.participants[id] }
    }

    public mutating func arrive(_ participant: ParticipantID) throws(MeetingError) -> Participant {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.arrive(participant) }
    }

    /// As `Meeting.wait`.
    public mutating func wait(_ participant: ParticipantID) throws(MeetingError) -> Participant {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.wait(participant) }
    }

    public mutating func stopWaiting(_ participant: ParticipantID, at now: Timestamp) {
        guard let home = homes[participant] else { return }
        let limits = limits
        meetings[home]?.stopWaiting(participant, at: now, within: limits)
    }

    /// As `Meeting.admit`.
    public mutating func admit(_ participant: ParticipantID, at now: Timestamp) throws(MeetingError) {
        let limits = limits
        try with(homes[participant]) { (meeting) throws(MeetingError) in
            try meeting.admit(participant, at: now, within: limits)
        }
    }

    public mutating func drop(_ participant: ParticipantID, at now: Timestamp) {
        guard let home = homes[participant] else { return }
        let limits = limits
        meetings[home]?.drop(participant, at: now, within: limits)
    }

    public mutating func leave(_ participant: ParticipantID, at now: Timestamp) throws(MeetingError) -> Participant {
        let left = try with(homes[participant]) { (meeting) throws(MeetingError) in
            try meeting.leave(participant, at: now)
        }
        homes[participant] = nil
        if left.isElsewhere { elsewhere -= 1 }
        return left
    }

    /// What another PoP says of a participant.
    ///
    /// - Throws: `meetingNotFound`; `participantNotFound` for one who is in another meeting.
    @discardableResult
    public mutating func place(
        _ distant: DistantParticipant, in id: MeetingID
    ) throws(MeetingError) -> Participant {
        _ = try require(id)
        guard (homes[distant.id] ?? id) == id else { throw .participantNotFound }
        let wasElsewhere = participant(distant.id)?.isElsewhere ?? false
        let placed = try with(id) { (meeting) throws(MeetingError) in meeting.place(distant) }
        homes[distant.id] = id
        if !wasElsewhere { elsewhere += 1 }
        return placed
    }

    /// Somebody who was at another PoP comes back at this one.
    ///
    /// - Throws: `participantNotFound`.
    public mutating func bringHere(
        _ participant: ParticipantID, at now: Timestamp
    ) throws(MeetingError) -> Participant {
        let limits = limits
        let wasElsewhere = self.participant(participant)?.isElsewhere ?? false
        let brought = try with(homes[participant]) { (meeting) throws(MeetingError) in
            try meeting.bringHere(participant, at: now, within: limits)
        }
        if wasElsewhere { elsewhere -= 1 }
        return brought
    }

    public mutating func setMedia(_ state: MediaState, of participant: ParticipantID) throws(MeetingError) {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.setMedia(state, of: participant) }
    }

    public mutating func setRole(_ role: Role, of participant: ParticipantID) throws(MeetingError) {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.setRole(role, of: participant) }
    }

    /// As `Meeting.react`.
    public mutating func react(
        _ participant: ParticipantID, with text: String
    ) throws(MeetingError) -> Reaction {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.react(participant, with: text) }
    }

    /// A host silences somebody.
    public mutating func mute(_ participant: ParticipantID, _ source: HostOrder.Source) throws(MeetingError) {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.mute(participant, source) }
    }

    /// A host asks somebody to open its microphone.
    public mutating func allowUnmute(_ participant: ParticipantID) throws(MeetingError) {
        try with(homes[participant]) { (meeting) throws(MeetingError) in try meeting.allowUnmute(participant) }
    }

    /// Whoever was removed does not come back from this address.
    public mutating func bar(_ address: String, from id: MeetingID) { meetings[id]?.bar(address) }

    /// The addresses of those who were removed, as the meeting's Home has them.
    public mutating func setBarred(_ addresses: [String], of id: MeetingID) { meetings[id]?.barred = addresses }

    // MARK: Time

    /// Participants that never came, or did not come back.
    public func overdue(at now: Timestamp) -> [ParticipantID] { meetings.values.flatMap { $0.overdue(at: now) } }

    /// Meetings that nobody will miss.
    public func forgotten(at now: Timestamp) -> [MeetingID] {
        meetings.values.filter { $0.isForgotten(at: now, within: limits) }.map(\.id)
    }

    private func require(_ id: MeetingID) throws(MeetingError) -> Meeting {
        guard let meeting = meetings[id] else { throw .meetingNotFound }
        return meeting
    }

    private mutating func with<Result>(
        _ id: MeetingID?, _ body: (inout Meeting) throws(MeetingError) -> Result
    ) throws(MeetingError) -> Result {
        guard let id, var meeting = meetings[id] else { throw .participantNotFound }
        // Taken out while it changes, so that its participants are not copied.
        meetings[id] = nil
        defer { meetings[id] = meeting }
        return try body(&meeting)
    }
}
