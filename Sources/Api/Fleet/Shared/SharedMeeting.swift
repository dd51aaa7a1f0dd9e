import Fleet
import Meetings

/// A meeting as all its PoPs know it: a Home makes its changes, and Branches make the same ones in the same order.
struct SharedMeeting: Equatable, Sendable {
    /// Nil: nobody has made it.
    private(set) var record: MeetingRecord?
    private(set) var isLocked = false
    private(set) var participants: [ParticipantID: SharedParticipant] = [:]
    private(set) var chat = ChatLog()
    private(set) var breakouts = Breakouts()
    private(set) var polls = PollBook()
    private(set) var questions = QuestionBook()
    /// Whom hosts have removed, the oldest first.
    private(set) var removed: [ParticipantID] = []
    /// Addresses from which nobody comes in any more, the oldest first.
    private(set) var barred: [String] = []
    private(set) var ended: EndReason?
    private var arrivals: UInt64 = 0

    /// More than any meeting may have.
    static let mostParticipants = 4_096
    /// More than are on their way to be said once more.
    static let mostRemoved = 256

    init() {}

    /// In the order of joining.
    var roster: [SharedParticipant] { participants.values.sorted { $0.arrival < $1.arrival } }

    /// The PoPs where somebody is, by name.
    var pops: [PoPName] { Set(participants.values.map(\.pop)).sorted() }
}

extension SharedMeeting: MeetingBody {
    typealias Change = SharedChange

    private struct Fields: Codable {
        var record: MeetingRecord?
        var locked: Bool
        var participants: [SharedParticipant]
        /// Absent where nobody wrote.
        var chat: [SharedChatMessage]?
        /// The number that was given last.
        var chatNumber: UInt64?
        /// Absent where there never were any.
        var breakouts: Breakouts?
        /// Absent where there are none.
        var polls: SharedPolls?
        /// Absent where there are none.
        var questions: [SharedQuestion]?
        /// Absent where there are none.
        var removed: [ParticipantID]?
        var barred: [String]?
        var ended: EndReason?
        var arrivals: UInt64
    }

    init?(bytes: [UInt8]) {
        guard let fields = try? JSON.decode(Fields.self, from: bytes),
            fields.participants.count <= Self.mostParticipants, fields.arrivals < 1 << 48,
            fields.chat?.count ?? 0 <= ChatLog.limit, fields.chatNumber ?? 0 < 1 << 48,
            fields.removed?.count ?? 0 <= Self.mostRemoved, fields.barred?.count ?? 0 <= Meeting.mostBarred,
            fields.barred?.allSatisfy({ $0.utf8.count <= SharedChange.mostOfAddress }) ?? true
        else { return nil }
        if let shared = fields.polls {
            guard let book = shared.book else { return nil }
            polls = book
        }
        guard let asked = QuestionBook((fields.questions ?? []).map(\.question)) else { return nil }
        questions = asked
        record = fields.record
        isLocked = fields.locked
        participants = Dictionary(fields.participants.map { ($0.id, $0) }) { first, _ in first }
        chat = ChatLog((fields.chat ?? []).lazy.map(\.message), lastNumber: fields.chatNumber ?? 0)
        breakouts = fields.breakouts ?? Breakouts()
        removed = fields.removed ?? []
        barred = fields.barred ?? []
        ended = fields.ended
        arrivals = fields.arrivals
    }

    var bytes: [UInt8] {
        JSON.encodeExactly(
            Fields(
                record: record, locked: isLocked, participants: roster,
                chat: chat.messages.isEmpty ? nil : chat.messages.map { SharedChatMessage($0) },
                chatNumber: chat.lastNumber == 0 ? nil : chat.lastNumber,
                breakouts: breakouts == Breakouts() ? nil : breakouts,
                polls: polls == PollBook() ? nil : SharedPolls(polls),
                questions: questions.questions.isEmpty ? nil : questions.questions.map { SharedQuestion($0) },
                removed: removed.isEmpty ? nil : removed, barred: barred.isEmpty ? nil : barred, ended: ended,
                arrivals: arrivals))
    }

    /// What PoPs cannot see alone, as each looks at its own copy first. The reasons are codes of `MeetingError`.
    func refusal(of change: SharedChange) -> String? {
        guard ended == nil else { return MeetingError.meetingNotFound.code }
        if case .order(let order) = change { return refusal(of: order) }
        if case .breakouts(let change) = change { return breakouts.refusal(of: change)?.code }
        if case .poll(let change) = change { return polls.refusal(of: change)?.code }
        if case .question(let question) = change { return questions.refusal(of: question)?.code }
        if case .record(let record) = change, let known = self.record,
            record.plan.settings.webinar != known.plan.settings.webinar, !participants.isEmpty
        {
            return MeetingError.inProgress.code
        }
        guard case .participant(let participant) = change else { return nil }
        if removed.contains(participant.id) { return MeetingError.removed.code }
        if participant.media.screen, screenIsTaken(beside: participant.id) { return MeetingError.screenShareTaken.code }
        guard participants[participant.id] == nil, participant.role != .host, let record else { return nil }
        if isLocked { return MeetingError.locked.code }
        return participants.count < record.plan.settings.maxParticipants ? nil : MeetingError.meetingFull.code
    }

    /// Whether somebody in its room shares a screen.
    private func screenIsTaken(beside id: ParticipantID) -> Bool {
        participants.values.contains {
            $0.id != id && $0.media.screen && breakouts.places[$0.id] == breakouts.places[id]
        }
    }

    private func refusal(of order: HostOrder) -> String? {
        guard let target = order.target else { return nil }
        guard let known = participants[target] else { return MeetingError.participantNotFound.code }
        let staysHost =
            switch order {
            case .setRole(_, let role): role == .host
            case .remove: false
            case .mute, .muteAll, .askUnmute: true
            }
        let isLastHost =
            known.role == .host && !participants.values.contains { $0.id != target && $0.role == .host }
        return isLastHost && !staysHost ? MeetingError.lastHost.code : nil
    }

    /// In an anonymous poll that is closed or deleted nobody is to know any more who voted how.
    func isOutdated(_ change: SharedChange) -> Bool {
        guard case .poll(.vote(let id, _, _)) = change else { return false }
        return polls[id].map { !$0.isOpen && $0.isAnonymous } ?? polls.deleted.contains(id)
    }

    mutating func apply(_ change: SharedChange) {
        switch change {
        case .record(let record): self.record = record
        case .locked(let locked): isLocked = locked
        case .ended(let reason): ended = reason
        case .chat(let message): chat.put(message)
        case .poll(let change): polls.apply(change)
        case .question(let question): questions.put(question)
        case .order(let order): apply(order)
        case .breakouts(let change): breakouts.apply(change)
        case .barred(let address):
            guard !barred.contains(address) else { return }
            if barred.count == Meeting.mostBarred { barred.removeFirst() }
            barred.append(address)
        case .participant(var participant):
            let known = participants[participant.id]
            guard participant.moves >= known?.moves ?? 0, !removed.contains(participant.id),
                known != nil || participants.count < Self.mostParticipants
            else { return }
            if known == nil { arrivals += 1 }
            participant.arrival = known?.arrival ?? arrivals
            participant.orders = known?.orders ?? HostOrders()
            if let role = participant.orders.role { participant.role = role }
            if participant.role == .attendee { participant.media = participant.media.withheld() }
            participants[participant.id] = participant
        case .left(let id, let pop, let moves):
            guard let known = participants[id], known.pop == pop, known.moves <= moves else { return }
            participants[id] = nil
            breakouts.remove(id)
        }
    }

    private mutating func apply(_ order: HostOrder) {
        switch order {
        case .remove(let id):
            guard participants.removeValue(forKey: id) != nil else { return }
            breakouts.remove(id)
            if removed.count == Self.mostRemoved { removed.removeFirst() }
            removed.append(id)
        case .mute(let id, let source): mute(id, source)
        case .muteAll:
            for (id, participant) in participants where !participant.role.controls && participant.role != .attendee {
                mute(id, .audio)
            }
        case .askUnmute(let id, let host): participants[id]?.orders.ask(by: host)
        case .setRole(let id, let role):
            participants[id]?.orders.role = role
            participants[id]?.role = role
            guard role == .attendee, let media = participants[id]?.media else { return }
            participants[id]?.media = media.withheld()
            participants[id]?.orders.forgetAsk()
        }
    }

    /// Its PoP does it too, and may be lost before: then it is done where the participant comes to.
    private mutating func mute(_ id: ParticipantID, _ source: HostOrder.Source) {
        participants[id]?.orders.mute(source)
        participants[id]?.media.mute(source)
    }
}
