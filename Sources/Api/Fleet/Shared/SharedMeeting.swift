import Fleet
import Meetings

/// A meeting as all its PoPs know it: a Home makes its changes, and Branches make the same ones in the same order.
struct SharedMeeting: Equatable, Sendable {
    /// Nil: nobody has made it.
    private(set) var record: MeetingRecord?
    private(set) var isLocked = false
    private(set) var participants: [ParticipantID: SharedParticipant] = [:]
    private(set) var chat = ChatLog()
    private(set) var ended: EndReason?
    private var arrivals: UInt64 = 0

    /// More than any meeting may have.
    static let mostParticipants = 4_096

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
        var ended: EndReason?
        var arrivals: UInt64
    }

    init?(bytes: [UInt8]) {
        guard let fields = try? JSON.decode(Fields.self, from: bytes),
            fields.participants.count <= Self.mostParticipants, fields.arrivals < 1 << 48,
            fields.chat?.count ?? 0 <= ChatLog.limit, fields.chatNumber ?? 0 < 1 << 48
        else { return nil }
        record = fields.record
        isLocked = fields.locked
        participants = Dictionary(fields.participants.map { ($0.id, $0) }) { first, _ in first }
        chat = ChatLog((fields.chat ?? []).lazy.map(\.message), lastNumber: fields.chatNumber ?? 0)
        ended = fields.ended
        arrivals = fields.arrivals
    }

    var bytes: [UInt8] {
        JSON.encodeExactly(
            Fields(
                record: record, locked: isLocked, participants: roster,
                chat: chat.messages.isEmpty ? nil : chat.messages.map { SharedChatMessage($0) },
                chatNumber: chat.lastNumber == 0 ? nil : chat.lastNumber, ended: ended, arrivals: arrivals))
    }

    /// What PoPs cannot see alone, as each looks at its own copy first. The reasons are codes of `MeetingError`.
    func refusal(of change: SharedChange) -> String? {
        guard ended == nil else { return MeetingError.meetingNotFound.code }
        guard case .participant(let participant) = change else { return nil }
        if participant.media.screen, participants.values.contains(where: { $0.id != participant.id && $0.media.screen })
        {
            return MeetingError.screenShareTaken.code
        }
        guard participants[participant.id] == nil, participant.role != .host, let record else { return nil }
        if isLocked { return MeetingError.locked.code }
        return participants.count < record.plan.settings.maxParticipants ? nil : MeetingError.meetingFull.code
    }

    mutating func apply(_ change: SharedChange) {
        switch change {
        case .record(let record): self.record = record
        case .locked(let locked): isLocked = locked
        case .ended(let reason): ended = reason
        case .chat(let message): chat.put(message)
        case .participant(var participant):
            let known = participants[participant.id]
            guard participant.moves >= known?.moves ?? 0,
                known != nil || participants.count < Self.mostParticipants
            else { return }
            if known == nil { arrivals += 1 }
            participant.arrival = known?.arrival ?? arrivals
            participants[participant.id] = participant
        case .left(let id, let pop, let moves):
            guard let known = participants[id], known.pop == pop, known.moves <= moves else { return }
            participants[id] = nil
        }
    }
}
