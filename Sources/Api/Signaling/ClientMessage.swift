import Conference
import Meetings

/// What ties an answer to its request: a short string or a number, as the client likes.
enum RequestID: Codable, Sendable, Equatable {
    case text(String)
    case number(Int)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
            return
        }
        let text = try container.decode(String.self)
        guard text.utf8.count <= 64 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "too long")
        }
        self = .text(text)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }
}

/// What clients say on the signaling socket (the page Signaling of the documentation).
enum ClientMessage {
    /// What every message has.
    struct Envelope: Decodable {
        var type: String
        var id: RequestID?
    }

    /// With `sessionToken` for a place that was given before, by REST or by an earlier `joined`; else with `meeting` and
    /// `displayName` for a new one.
    struct Join: Decodable {
        private enum CodingKeys: String, CodingKey {
            case resume, meeting, password, offer, view, via
            case sessionToken = "session_token"
            case displayName = "display_name"
            case hostKey = "host_key"
            case mediaState = "media_state"
        }

        var sessionToken: String?
        var resume: String?
        /// Its identifier or number.
        var meeting: String?
        var displayName: String?
        var password: String?
        var hostKey: String?
        /// SDP.
        var offer: String?
        var mediaState: MediaStateChange?
        var view: View?
        /// The PoPs that sent the client on (`elsewhere`).
        var via: [String]?
    }

    /// Also of an ICE restart.
    struct Offer: Decodable {
        var sdp: String
    }

    /// The server is ICE-lite (RFC 8445 section 2.5) and learns addresses from checks alone.
    struct ICECandidate: Decodable {
        var candidate: String?
    }

    /// What is absent stays as it was.
    struct MediaStateChange: Decodable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case audio, video, screen
            case handRaised = "hand_raised"
        }

        var audio: Bool?
        var video: Bool?
        var screen: Bool?
        var handRaised: Bool?

        func applied(to state: MediaState) -> MediaState {
            MediaState(
                audio: audio ?? state.audio, video: video ?? state.video, screen: screen ?? state.screen,
                handRaised: handRaised ?? state.handRaised, mutedByHost: state.mutedByHost)
        }
    }

    /// Whom a host names.
    struct Target: Decodable {
        private enum CodingKeys: String, CodingKey {
            case source, role
            case participantID = "participant_id"
        }

        private var participantID: String
        /// Of `mute_participant`.
        var source: HostOrder.Source?
        /// Of `set_role`.
        var role: Role?

        /// - Throws: `participantNotFound` for what is no identifier.
        var id: ParticipantID {
            get throws {
                guard let id = ParticipantID(participantID) else { throw MeetingError.participantNotFound }
                return id
            }
        }
    }

    /// Of `admit`: one who waits, or all.
    struct Admission: Decodable {
        private enum CodingKeys: String, CodingKey {
            case all
            case participantID = "participant_id"
        }

        private var participantID: String?
        private var all: Bool?

        /// Nil: all.
        ///
        /// - Throws: `Problem` 400 unless it names one of them or says `all`; `participantNotFound` for what is no identifier.
        var id: ParticipantID? {
            get throws {
                guard let participantID else {
                    guard all == true else { throw Problem.malformed("admit has a participant_id, or all.") }
                    return nil
                }
                guard let id = ParticipantID(participantID) else { throw MeetingError.participantNotFound }
                return id
            }
        }
    }

    /// What participants may do; what is absent stays as it was.
    struct Rights: Decodable, Sendable {
        /// Come in without being let in.
        var enter: Bool?
        var screen: Bool?
        var chat: Bool?
        var unmute: Bool?

        func applied(to settings: MeetingSettings) -> MeetingSettings {
            var settings = settings
            settings.waitingRoom = enter.map { !$0 } ?? settings.waitingRoom
            settings.allowScreenShare = screen ?? settings.allowScreenShare
            settings.allowChat = chat ?? settings.allowChat
            settings.allowUnmute = unmute ?? settings.allowUnmute
            return settings
        }
    }

    struct Reaction: Decodable {
        var text: String
    }

    struct ChatEdit: Decodable {
        private enum CodingKeys: String, CodingKey {
            case text
            case chatID = "chat_id"
        }

        var chatID: String
        var text: String
    }

    struct ChatDeletion: Decodable {
        private enum CodingKeys: String, CodingKey {
            case chatID = "chat_id"
        }

        var chatID: String
    }

    /// Of `breakout_create`.
    struct BreakoutCreation: Decodable {
        private struct Room: Decodable {
            private enum CodingKeys: String, CodingKey {
                case name
                case participantIDs = "participant_ids"
            }

            var name: String
            var participantIDs: [String]?
        }

        private enum CodingKeys: String, CodingKey {
            case rooms, evenly, choose
            case duration = "duration_s"
        }

        private var rooms: [Room]
        private var evenly: Bool?
        private var choose: Bool?
        private var duration: Int?

        /// What is no identifier names nobody who is here.
        var draft: BreakoutDraft {
            BreakoutDraft(
                rooms: rooms.map { room in
                    BreakoutOpening.Room(
                        name: room.name, participants: (room.participantIDs ?? []).compactMap(ParticipantID.init))
                }, isEven: evenly ?? false, mayChoose: choose ?? false, duration: duration)
        }
    }

    /// Of `breakout_assign`.
    struct BreakoutAssignment: Decodable {
        private struct Move: Decodable {
            private enum CodingKeys: String, CodingKey {
                case participantID = "participant_id"
                case roomID = "room_id"
            }

            var participantID: String
            var roomID: String?
        }

        private var moves: [Move]

        /// - Throws: `invalid` of too many; `breakoutNotFound` of what names no room.
        func checked() throws -> [BreakoutMove] {
            guard moves.count <= Breakouts.mostPlaces else {
                throw MeetingError.invalid(field: "moves", reason: "at most \(Breakouts.mostPlaces)")
            }
            return try moves.compactMap { move in
                let room = try BreakoutRoomID.named(move.roomID)
                return ParticipantID(move.participantID).map { BreakoutMove($0, to: room) }
            }
        }
    }

    /// Of `breakout_choose`.
    struct BreakoutChoice: Decodable {
        private enum CodingKeys: String, CodingKey { case roomID = "room_id" }

        private var roomID: String?

        /// - Throws: `breakoutNotFound` of what names no room.
        var room: BreakoutRoomID? { get throws { try BreakoutRoomID.named(roomID) } }
    }

    /// Of `breakout_broadcast`.
    struct BreakoutBroadcast: Decodable {
        var text: String?
        var voice: Bool?
    }

    /// Of `breakout_close`.
    struct BreakoutClosing: Decodable {
        private enum CodingKeys: String, CodingKey { case after = "after_s" }

        /// Seconds.
        var after: Int?
    }

    struct View: Decodable, Sendable {
        var layout: MediaView.Layout?
        var visible: [String]?
        var pinned: String?
        var heights: [String: Int]?

        /// With those too who are not here: one whose PoP is lost for a moment is back before a client tells its view anew.
        ///
        /// - Throws: `Problem` 422 out of bounds.
        func view() throws -> MediaView {
            let visible = visible ?? []
            let heights = heights ?? [:]
            guard visible.count <= MediaView.limit, heights.count <= MediaView.limit else {
                throw Problem(422, "invalid_field", "visible and heights: at most \(MediaView.limit)")
            }
            guard heights.values.allSatisfy({ (0...4_320).contains($0) }) else {
                throw Problem(422, "invalid_field", "heights: from 0 to 4320")
            }
            let tiles = heights.compactMap { name, height in ParticipantID(name).map { ($0, height) } }
            return MediaView(
                layout: layout ?? .gallery, visible: visible.compactMap(ParticipantID.init),
                pinned: pinned.flatMap(ParticipantID.init), heights: Dictionary(uniqueKeysWithValues: tiles))
        }
    }
}

extension BreakoutRoomID {
    /// - Throws: `breakoutNotFound` of what names no room.
    fileprivate static func named(_ text: String?) throws -> BreakoutRoomID? {
        guard let text else { return nil }
        guard let id = BreakoutRoomID(text) else { throw MeetingError.breakoutNotFound }
        return id
    }
}
