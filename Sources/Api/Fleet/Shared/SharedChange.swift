import Fleet
import Meetings

/// A change of a meeting, as its Home makes it and all its PoPs take it.
enum SharedChange: Equatable, Sendable {
    /// The meeting is made, or its plan or password is another.
    case record(MeetingRecord)
    case locked(Bool)
    /// Somebody came, or is otherwise than before.
    case participant(SharedParticipant)
    /// Somebody who was at this PoP, as far as that is known, is gone.
    case left(ParticipantID, from: PoPName, moves: UInt32)
    /// Somebody wrote, or what was written is otherwise than before.
    case chat(ChatMessage)
    /// A poll is made, closed or deleted, or somebody has voted.
    case poll(PollChange)
    /// Somebody asked the panel of a webinar, or the question is otherwise than before.
    case question(Question)
    /// What a host has happen to somebody.
    case order(HostOrder)
    /// Breakout rooms open or close, or people go to others.
    case breakouts(BreakoutChange)
    /// An address that somebody came from whom a host has removed.
    case barred(String)
    case ended(EndReason)
}

extension SharedChange: MeetingChange {
    private struct Departure: Codable {
        var id: ParticipantID
        var pop: String
        var moves: UInt32
    }

    /// One of the fields is there.
    private struct Fields: Codable {
        var record: MeetingRecord?
        var locked: Bool?
        var participant: SharedParticipant?
        var left: Departure?
        var chat: SharedChatMessage?
        var poll: SharedPollChange?
        var question: SharedQuestion?
        var order: SharedHostOrder?
        var breakouts: BreakoutChange?
        var barred: String?
        var ended: EndReason?
    }

    /// IPv6 with a prefix's length, in bytes.
    static let mostOfAddress = 64

    init?(bytes: [UInt8]) {
        guard bytes.count <= LinkPolicy.changeLimit, let fields = try? JSON.decode(Fields.self, from: bytes) else {
            return nil
        }
        if let record = fields.record {
            self = .record(record)
        } else if let locked = fields.locked {
            self = .locked(locked)
        } else if let participant = fields.participant {
            self = .participant(participant)
        } else if let left = fields.left {
            guard let pop = PoPName(left.pop) else { return nil }
            self = .left(left.id, from: pop, moves: left.moves)
        } else if let chat = fields.chat {
            self = .chat(chat.message)
        } else if let poll = fields.poll {
            guard let change = poll.change else { return nil }
            self = .poll(change)
        } else if let question = fields.question {
            self = .question(question.question)
        } else if let order = fields.order {
            guard let order = order.order else { return nil }
            self = .order(order)
        } else if let change = fields.breakouts {
            self = .breakouts(change)
        } else if let address = fields.barred {
            guard (1...Self.mostOfAddress).contains(address.utf8.count) else { return nil }
            self = .barred(address)
        } else if let ended = fields.ended {
            self = .ended(ended)
        } else {
            return nil
        }
    }

    var bytes: [UInt8] {
        var fields = Fields()
        switch self {
        case .record(let record): fields.record = record
        case .locked(let locked): fields.locked = locked
        case .participant(let participant): fields.participant = participant
        case .left(let id, let pop, let moves):
            fields.left = Departure(id: id, pop: pop.rawValue, moves: moves)
        case .chat(let message): fields.chat = SharedChatMessage(message)
        case .poll(let change): fields.poll = SharedPollChange(change)
        case .question(let question): fields.question = SharedQuestion(question)
        case .order(let order): fields.order = SharedHostOrder(order)
        case .breakouts(let change): fields.breakouts = change
        case .barred(let address): fields.barred = address
        case .ended(let reason): fields.ended = reason
        }
        return JSON.encodeExactly(fields)
    }

    var key: String {
        switch self {
        case .record: "record"
        case .locked: "locked"
        case .participant(let participant): "participant \(participant.id)"
        case .left(let id, _, _): "participant \(id)"
        case .chat(let message): "chat \(message.id)"
        case .poll(let change): change.key
        case .question(let question): "question \(question.id)"
        case .order(let order): order.key
        case .breakouts: "breakouts"
        case .barred(let address): "barred \(address)"
        case .ended: "ended"
        }
    }

    var isRemoval: Bool {
        switch self {
        case .left, .poll(.delete): true
        default: false
        }
    }

    /// A mute is not done again to who may have spoken since, nor a question asked, nor are people sent into rooms once more.
    var isMomentary: Bool {
        switch self {
        case .order(.mute), .order(.muteAll), .order(.askUnmute), .breakouts: true
        default: false
        }
    }

    var isMessage: Bool {
        switch self {
        case .chat, .poll(.vote), .question: true
        default: false
        }
    }

    var outdatesOthers: Bool {
        switch self {
        case .poll(.close), .poll(.delete): true
        default: false
        }
    }
}

extension PollChange {
    /// What is deleted need not be made any more. A close stands beside both: another history may lack the poll itself.
    fileprivate var key: String {
        switch self {
        case .open, .delete: "poll \(poll)"
        case .close: "poll close \(poll)"
        case .vote(_, let voter, _): "poll vote \(poll) \(voter)"
        }
    }
}

extension HostOrder {
    /// The last one of a key is what counts.
    fileprivate var key: String {
        switch self {
        case .remove(let target): "remove \(target)"
        case .mute(let target, let source): "mute \(source.rawValue) \(target)"
        case .muteAll: "mute all"
        case .askUnmute(let target, _): "ask \(target)"
        case .setRole(let target, _): "role \(target)"
        }
    }
}
