import Foundation
import Meetings
import NIOCore
import NIOWebSocket
import Synchronization

@testable import Api

/// A socket that keeps what was written to it as messages.
final class SimulatedSocket: SignalingSocket {
    private struct State {
        var frames: [ByteBuffer] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    var isClosing: Bool { state.withLock { $0.isClosed } }
    func markJoined() {}
    func close(_ code: WebSocketErrorCode, _ reason: String) { state.withLock { $0.isClosed = true } }

    func send(_ frames: ByteBuffer) {
        state.withLock { if !$0.isClosed { $0.frames.append(frames) } }
    }

    /// What was written since the last time.
    func take() -> [[String: Any]] {
        var messages: [[String: Any]] = []
        for var frame in state.withLock({ state in
            defer { state.frames = [] }
            return state.frames
        }) {
            while let payload = Self.takePayload(&frame) {
                if let message = try? JSONSerialization.jsonObject(with: payload) as? [String: Any] {
                    messages.append(message)
                }
            }
        }
        return messages
    }

    private static func takePayload(_ frames: inout ByteBuffer) -> Data? {
        guard let header = frames.readBytes(length: 2) else { return nil }
        let count: Int? =
            switch header[1] {
            case 126: frames.readInteger(as: UInt16.self).map { Int($0) }
            case 127: frames.readInteger(as: UInt64.self).map { Int($0) }
            default: Int(header[1])
            }
        return count.flatMap { frames.readBytes(length: $0) }.map { Data($0) }
    }
}

/// Somebody in a simulated meeting, and the list of others that it has by what its socket was told.
final class SimulatedClient {
    let id: ParticipantID
    let meeting: Int
    let isHost: Bool
    /// Its PoP; another process of the same name is another one.
    var node: SharedNode
    /// Nil while it has none.
    var socket: SimulatedSocket?
    /// Where it was before, until that PoP lets it go or it goes on.
    var former: (node: SharedNode, socket: SimulatedSocket)?
    private(set) var resume: String?
    /// The others.
    private(set) var others: [String: MediaState] = [:]
    private(set) var roles: [String: String] = [:]
    /// Its own role, and the questions of a webinar that it may read: how each stands.
    private(set) var role = ""
    private(set) var questions: [String: String] = [:]
    /// Breakout rooms: those that are open, and who is in one, itself too.
    private(set) var rooms: [String] = []
    private(set) var places: [String: String] = [:]
    /// A message of the chat as it was told last.
    struct Words: Equatable {
        var sender: String
        var recipient: String?
        var text: String
        var isDeleted: Bool
    }

    /// What it was told since its last `joined`, and the newest message before that.
    private(set) var chat: [String: Words] = [:]
    private(set) var lastChat: String?
    /// It left, its meeting ended, or it was told to go.
    var isGone = false
    private(set) var isAskedToMove = false
    /// What it was told and cannot be.
    private(set) var contradictions: [String] = []

    init(_ id: ParticipantID, in meeting: Int, isHost: Bool, at node: SharedNode, _ socket: SimulatedSocket) {
        self.id = id
        self.meeting = meeting
        self.isHost = isHost
        self.node = node
        self.socket = socket
    }

    /// It has another socket, and knows nobody before it is told.
    func move(to node: SharedNode, _ socket: SimulatedSocket) {
        if let old = self.socket, node !== self.node, former == nil { former = (self.node, old) }
        self.node = node
        self.socket = socket
        isAskedToMove = false
    }

    /// Takes what its socket was told.
    func hear() {
        guard let socket else { return }
        for message in socket.take() { hear(message) }
    }

    private func hear(_ message: [String: Any]) {
        let id = message["participant_id"] as? String ?? ""
        switch message["type"] as? String {
        case "joined":
            resume = message["resume"] as? String
            others = [:]
            roles = [:]
            chat = [:]
            rooms = Self.rooms(message["breakout"] as? [String: Any] ?? [:])
            places = [:]
            role = (message["you"] as? [String: Any])?["role"] as? String ?? ""
            read(questions: message)
            note(message["you"] as? [String: Any] ?? [:])
            lastChat = message["last_chat"] as? String
            for person in message["participants"] as? [[String: Any]] ?? [] { add(person, "joined") }
        case "participant_joined": add(message["participant"] as? [String: Any] ?? [:], "participant_joined")
        case "breakout": rooms = Self.rooms(message)
        case "breakout_moved":
            for move in message["moves"] as? [[String: Any]] ?? [] {
                let id = move["participant_id"] as? String ?? ""
                if id != self.id.rawValue, others[id] == nil { contradictions.append("\(id) moved, who is not there") }
                places[id] = nil
                note(move)
            }
        case "participant_left":
            roles[id] = nil
            places[id] = nil
            if others.removeValue(forKey: id) == nil { contradictions.append("\(id) left, and was not there") }
        case "media_state":
            if others.updateValue(Self.media(message), forKey: id) == nil {
                others[id] = nil
                // The Home's refusal of its own screen is told it too.
                if id != self.id.rawValue { contradictions.append("media of \(id), who is not there") }
            }
        case "participant_update":
            guard id != self.id.rawValue else {
                if let role = message["role"] as? String { become(role) }
                break
            }
            if others[id] == nil { contradictions.append("update of \(id), who is not there") }
            if let role = message["role"] as? String { roles[id] = role }
        case "attendees":
            for person in message["participants"] as? [[String: Any]] ?? [] { add(person, "attendees") }
        case "questions": read(questions: message)
        case "question": read(question: message["question"] as? [String: Any] ?? [:])
        case "chat": read(message["message"] as? [String: Any] ?? [:])
        case "migrate": isAskedToMove = message["reason"] as? String == "drain"
        case "removed":
            let reason = message["reason"] as? String ?? ""
            if reason != "removed" { contradictions.append("removed from where it is: \(reason)") }
            isGone = true
        case "meeting_ended": isGone = message["reason"] as? String != "shutdown"
        default: break
        }
    }

    /// Who has no host controls any more is told no more of those who watch.
    private func become(_ role: String) {
        self.role = role
        guard !["host", "co_host"].contains(role) else { return }
        for (id, other) in roles where other == "attendee" {
            roles[id] = nil
            others[id] = nil
            places[id] = nil
        }
    }

    private func read(questions message: [String: Any]) {
        questions = [:]
        for question in message["questions"] as? [[String: Any]] ?? [] { read(question: question) }
    }

    private func read(question: [String: Any]) {
        guard let id = question["question_id"] as? String, let state = question["state"] as? String else {
            return contradictions.append("a question without its fields")
        }
        let isOwn = question["own"] as? Bool ?? false
        if role == "attendee", !isOwn, state != "answered" { contradictions.append("\(id) is not for it") }
        questions[id] = "\(state) \(isOwn) \(question["answer"] as? String ?? "")"
    }

    private func read(_ message: [String: Any]) {
        guard let id = message["chat_id"] as? String, let sender = message["sender_id"] as? String,
            let text = message["text"] as? String
        else { return contradictions.append("a chat without its fields") }
        let words = Words(
            sender: sender, recipient: message["recipient_id"] as? String, text: text,
            isDeleted: message["deleted"] as? Bool ?? false)
        if let recipient = words.recipient, ![sender, recipient].contains(self.id.rawValue) {
            contradictions.append("\(id) is not for it")
        }
        // The same again, as after a merge, changes nothing for it.
        chat[id] = words
    }

    private func add(_ person: [String: Any], _ how: String) {
        guard let id = person["participant_id"] as? String else { return contradictions.append("\(how) without id") }
        if id == self.id.rawValue { contradictions.append("\(how) says itself") }
        roles[id] = person["role"] as? String
        if others.updateValue(Self.media(person), forKey: id) != nil {
            contradictions.append("\(how) says \(id) again")
        }
        note(person)
    }

    /// Which room somebody is in, by what is told of it.
    private func note(_ person: [String: Any]) {
        guard let id = person["participant_id"] as? String, let room = person["room_id"] as? String else { return }
        places[id] = room
        if !rooms.contains(room) { contradictions.append("\(id) is in \(room), which is not open") }
    }

    private static func rooms(_ message: [String: Any]) -> [String] {
        (message["rooms"] as? [[String: Any]] ?? []).compactMap { $0["room_id"] as? String }
    }

    private static func media(_ message: [String: Any]) -> MediaState {
        func flag(_ name: String) -> Bool { message[name] as? Bool ?? false }
        return MediaState(
            audio: flag("audio"), video: flag("video"), screen: flag("screen"), handRaised: flag("hand_raised"))
    }
}
