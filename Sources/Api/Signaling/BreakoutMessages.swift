import Meetings

/// What the server says of breakout rooms.
extension ServerMessage {
    /// The rooms as they are now; none: they are closed.
    struct BreakoutState: Encodable, Equatable {
        struct Room: Encodable, Equatable {
            var roomId: String
            var name: String
        }

        var type = "breakout"
        var rooms: [Room]
        /// Whether people choose their room by themselves.
        var choose: Bool
        /// When they close by themselves, RFC 3339; absent: they do not.
        var closesAt: String?
        /// The host whose microphone is heard in all rooms.
        var voice: String?

        init(_ breakouts: Breakouts) {
            rooms = breakouts.rooms.map { Room(roomId: $0.id.rawValue, name: $0.name) }
            choose = breakouts.mayChoose
            closesAt = breakouts.closesAt?.rfc3339
            voice = breakouts.voice?.rawValue
        }
    }

    /// People who are in another room from now on.
    struct BreakoutMoved: Encodable {
        struct Move: Encodable {
            private enum CodingKeys: String, CodingKey { case participantId, roomId }

            var participantId: String
            var roomId: String?

            /// The main room says so: `null`, not absence.
            func encode(to encoder: any Encoder) throws {
                var fields = encoder.container(keyedBy: CodingKeys.self)
                try fields.encode(participantId, forKey: .participantId)
                try fields.encode(roomId, forKey: .roomId)
            }
        }

        var type = "breakout_moved"
        var moves: [Move]

        init(_ moves: [BreakoutMove]) {
            self.moves = moves.map { Move(participantId: $0.participant.rawValue, roomId: $0.room?.rawValue) }
        }
    }

    /// A host's word to all rooms.
    struct BreakoutNotice: Encodable {
        var type = "breakout_message"
        var participantId: String
        var displayName: String
        var text: String

        init(_ notice: Breakouts.Notice) {
            participantId = notice.sender.rawValue
            displayName = notice.senderName
            text = notice.text
        }
    }
}
