import Foundation

/// What the signaling says of a meeting, as far as it is recorded.
enum MeetingNews: Equatable {
    struct Person: Equatable, Decodable {
        var participantID: String
        var displayName: String
        var role: String
        var audio: Bool
        var video: Bool
        var screen: Bool

        enum CodingKeys: String, CodingKey {
            case role, audio, video, screen
            case participantID = "participant_id"
            case displayName = "display_name"
        }
    }

    /// What somebody wrote to all, as it is now.
    struct Message: Equatable, Decodable {
        var chatID: String
        var senderID: String
        var senderName: String
        var text: String
        var deleted: Bool?
        var recipientID: String?
        var roomID: String?

        enum CodingKeys: String, CodingKey {
            case text, deleted
            case chatID = "chat_id"
            case senderID = "sender_id"
            case senderName = "sender_name"
            case recipientID = "recipient_id"
            case roomID = "room_id"
        }
    }

    /// We are in; those who are there.
    case joined([Person])
    case came(Person)
    case left(String)
    case media(String, audio: Bool, video: Bool, screen: Bool)
    case speakers([String])
    case chat(Message)
    case meetingEnded
    /// Our place is gone.
    case removed
    case refused(code: String, message: String)

    private struct Kind: Decodable {
        var type: String
    }

    private struct Chat: Decodable {
        var message: Message
    }

    private struct Head: Decodable {
        var type: String
        var participants: Mixed?
        var participant: Person?
        var participantID: String?
        var audio: Bool?
        var video: Bool?
        var screen: Bool?
        var code: String?
        var message: String?

        enum CodingKeys: String, CodingKey {
            case type, participants, participant, audio, video, screen, code, message
            case participantID = "participant_id"
        }
    }

    /// `participants` are people in `joined`, and names in `active_speaker`.
    private enum Mixed: Decodable {
        case people([Person])
        case names([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let names = try? container.decode([String].self) {
                self = .names(names)
            } else {
                self = .people(try container.decode([Person].self))
            }
        }
    }

    /// Nil for what is not recorded, and for what is malformed.
    init?(_ text: Data) {
        if let said = try? JSONDecoder().decode(Kind.self, from: text), said.type == "chat" {
            // What is private, or of a breakout room, is not the meeting's.
            guard let chat = try? JSONDecoder().decode(Chat.self, from: text).message, chat.recipientID == nil,
                chat.roomID == nil
            else { return nil }
            self = .chat(chat)
            return
        }
        guard let message = try? JSONDecoder().decode(Head.self, from: text) else { return nil }
        switch message.type {
        case "joined":
            switch message.participants {
            case .people(let people): self = .joined(people)
            // An empty list is either.
            default: self = .joined([])
            }
        case "participant_joined":
            guard let person = message.participant else { return nil }
            self = .came(person)
        case "participant_left":
            guard let id = message.participantID else { return nil }
            self = .left(id)
        case "media_state":
            guard let id = message.participantID else { return nil }
            self = .media(
                id, audio: message.audio ?? false, video: message.video ?? false, screen: message.screen ?? false)
        case "active_speaker":
            guard case .names(let names) = message.participants else { return nil }
            self = .speakers(names)
        case "meeting_ended": self = .meetingEnded
        case "removed", "denied": self = .removed
        case "error": self = .refused(code: message.code ?? "", message: message.message ?? "")
        default: return nil
        }
    }
}
