import Conference
import Meetings
import NIOCore

/// What the server says on the signaling socket (the page Signaling of the documentation).
enum ServerMessage {
    struct Person: Encodable {
        var participantId: String
        var displayName: String
        var role: Role
        var audio: Bool
        var video: Bool
        var screen: Bool
        var handRaised: Bool
        /// The breakout room that it is in; absent: the main room.
        var roomId: String?

        init(_ participant: Participant, in room: BreakoutRoomID? = nil) {
            roomId = room?.rawValue
            participantId = participant.id.rawValue
            displayName = participant.displayName
            role = participant.role
            audio = participant.media.audio
            video = participant.media.video
            screen = participant.media.screen
            handRaised = participant.media.handRaised
        }
    }

    struct Gathering: Encodable {
        var meetingId: String
        var meetingNumber: String
        var topic: String
        var locked: Bool
        var settings: SettingsJSON

        init(_ meeting: Meeting) {
            meetingId = meeting.id.rawValue
            meetingNumber = meeting.number.description
            topic = meeting.plan.topic
            locked = meeting.isLocked
            settings = SettingsJSON(meeting.plan.settings)
        }
    }

    struct Joined: Encodable {
        struct You: Encodable {
            var participantId: String
            var displayName: String
            var role: Role
            var roomId: String?
        }

        var type = "joined"
        var id: RequestID?
        var you: You
        var meeting: Gathering
        /// The media plane is also reached directly: its address is in the answer.
        var iceServers: [ICEServer]
        /// Where a dropped socket comes back; nil: where this one was opened.
        var signalingUrl: String?
        /// Of other PoPs that take the place by `resume` when this one is lost; nil without them.
        var signalingAlternates: [String]?
        /// With `sessionToken` it brings a dropped socket back to the same place.
        var resume: String
        var sessionToken: String
        /// Whether the participant was here already.
        var resumed: Bool
        /// The newest message of the chat that it may read.
        var lastChat: String?
        /// While breakout rooms are open.
        var breakout: BreakoutState?
        /// Of a webinar: how many watch, and what was asked, as far as it may read that.
        var attendees: Int?
        var questions: [QuestionJSON]?

        init(
            _ participant: Participant, in meeting: Meeting, resume: String, resumed: Bool, token: String,
            iceServers: [ICEServer], signalingURL: String?, alternates: [String]? = nil, id: RequestID?
        ) {
            self.id = id
            sessionToken = token
            self.iceServers = iceServers
            signalingUrl = signalingURL
            signalingAlternates = alternates
            you = You(
                participantId: participant.id.rawValue, displayName: participant.displayName, role: participant.role,
                roomId: meeting.room(of: participant.id)?.rawValue)
            breakout = meeting.breakouts.isOpen ? BreakoutState(meeting.breakouts) : nil
            if meeting.plan.settings.webinar {
                attendees = meeting.attendeeCount
                let readable = QuestionJSON.all(of: meeting, for: participant.id)
                questions = readable.isEmpty ? nil : readable
            }
            self.meeting = Gathering(meeting)
            self.resume = resume
            self.resumed = resumed
            lastChat = meeting.chat.last(for: meeting.reader(participant.id))?.id.rawValue
        }

        /// With the others in the order of joining, who are encoded already (a large meeting has many of them, and few
        /// changed since the last join), and with the answer to the join's offer and all Slots, where it had one.
        func encoded(participants: some Sequence<[UInt8]>, _ connection: MediaConnection?) -> [UInt8] {
            var json = JSONText(JSON.encode(self))
            json.reopen()
            json.add(#","participants":"#)
            json.add(list: participants) { json, participant in json.add(participant) }
            if let connection {
                json.add(#","sdp":"#)
                json.add(string: connection.sdp)
                json.add(#","slots":"#)
                json.add(slots: connection.slots)
            }
            json.add("}")
            return json.bytes
        }
    }

    /// Where the place is taken by `resume` when this PoP is lost, instead of what was told before.
    struct Alternates: Encodable {
        var type = "alternates"
        var signalingAlternates: [String]
    }

    struct Done: Encodable {
        var type = "ok"
        var id: RequestID
    }

    struct Pong: Encodable {
        var type = "pong"
        var id: RequestID?
    }

    struct Failure: Encodable {
        var type = "error"
        var id: RequestID?
        var code: String
        var status: Int
        var message: String
        /// Seconds after which the same request may succeed.
        var retryAfterS: Int?
        /// Of `elsewhere`: the socket of the PoP that has the meeting, others that take the client, and what the join there says.
        var signalingUrl: String?
        var alternates: [String]?
        var via: [String]?

        init(_ problem: Problem, id: RequestID? = nil) {
            self.id = id
            code = problem.code
            status = problem.status.code
            message = problem.detail
            retryAfterS = problem.retryAfter
            guard let elsewhere = problem.elsewhere else { return }
            signalingUrl = elsewhere.signalingURL
            alternates = elsewhere.alternates
            via = elsewhere.via.map(\.rawValue)
        }
    }

    struct Answer: Encodable {
        var type = "answer"
        var id: RequestID?
        var sdp: String
    }

    /// `slots`: who is in them from now on.
    static func slots(_ assignments: [SlotAssignment]) -> ByteBuffer {
        var json = JSONText()
        json.add(#"{"type":"slots","slots":"#)
        json.add(slots: assignments)
        json.add("}")
        return TextFrame.wrap(json.bytes)
    }

    struct SlotSwitched: Encodable {
        var type = "slot_switched"
        var mid: String
        var participantId: String
        var source: SlotSource
        var layer: Int
        var rtpTimestamp: UInt32

        init(_ picture: SlotPicture) {
            mid = picture.mid
            participantId = picture.participant.rawValue
            source = picture.source
            layer = picture.layer
            rtpTimestamp = picture.timestamp
        }
    }

    struct SlotPaused: Encodable {
        var type = "slot_paused"
        var mid: String
    }

    /// With `rids` where the m-line has some, otherwise with `wanted`.
    struct LayersWanted: Encodable {
        var type = "layers_wanted"
        var mid: String
        var rids: [String]?
        var wanted: Bool?

        init(_ layers: WantedLayers) {
            mid = layers.mid
            rids = layers.rids
            wanted = layers.rids == nil ? layers.isWanted : nil
        }
    }

    struct ParticipantJoined: Encodable {
        var type = "participant_joined"
        var participant: Person
    }

    struct ParticipantLeft: Encodable {
        var type = "participant_left"
        var participantId: String
        var reason: LeaveReason
    }

    struct ParticipantUpdate: Encodable {
        enum Connection: String, Encodable {
            case interrupted, connected
        }

        var type = "participant_update"
        var participantId: String
        /// One of the two is there.
        var connection: Connection?
        var role: Role?
    }

    struct MediaStateChanged: Encodable {
        var type = "media_state"
        var participantId: String
        var audio: Bool
        var video: Bool
        var screen: Bool
        var handRaised: Bool
        var mutedByHost: Bool
        /// What of it a host turns off by this; its own client has it off from then on, too. Nil: nothing.
        var turnedOff: [HostOrder.Source]?

        init(_ id: ParticipantID, _ state: MediaState, turnedOff: [HostOrder.Source] = []) {
            participantId = id.rawValue
            audio = state.audio
            video = state.video
            screen = state.screen
            handRaised = state.handRaised
            mutedByHost = state.mutedByHost
            self.turnedOff = turnedOff.isEmpty ? nil : turnedOff
        }
    }

    /// A host asks this participant to open its microphone.
    struct UnmuteAsked: Encodable {
        var type = "unmute_asked"
        /// The host.
        var participantId: String
    }

    /// The answer to a join in place of `joined`: a host is to let it in.
    struct Waiting: Encodable {
        struct Gathering: Encodable {
            var meetingId: String
            var topic: String
        }

        var type = "waiting"
        var id: RequestID?
        var participantId: String
        /// Of the join to come, and of a new socket's.
        var sessionToken: String
        var meeting: Gathering

        init(_ participant: Participant, in meeting: Meeting, token: String, id: RequestID?) {
            self.id = id
            participantId = participant.id.rawValue
            sessionToken = token
            self.meeting = Gathering(meetingId: meeting.id.rawValue, topic: meeting.plan.topic)
        }
    }

    /// A host has let it in: it may join.
    struct Admitted: Encodable { var type = "admitted" }

    /// A host has sent it away.
    struct Denied: Encodable { var type = "denied" }

    /// Who waits to be let in, for those who have the host controls.
    struct WaitingRoom: Encodable {
        struct Guest: Encodable {
            var participantId: String
            var displayName: String

            init(_ participant: Participant) {
                participantId = participant.id.rawValue
                displayName = participant.displayName
            }
        }

        var type = "waiting_room"
        /// These are all; else what has changed.
        var whole = false
        var arrived: [Guest] = []
        var left: [String] = []
    }

    /// Somebody shows something for a moment.
    struct Reacted: Encodable {
        var type = "reaction"
        var participantId: String
        /// One emoji.
        var text: String
    }

    struct MeetingUpdated: Encodable {
        var type = "meeting_update"
        var meeting: Gathering
    }

    /// A message of the chat, new or changed.
    struct Chat: Encodable {
        var type = "chat"
        var message: ChatJSON
    }

    struct ActiveSpeaker: Encodable {
        var type = "active_speaker"
        var participants: [String]
    }

    struct Quality: Encodable {
        var type = "quality"
        var participantId: String
        var level: MediaQuality.Level
        var layer: String?
        var estimateBitsPerSecond: Int?
    }

    struct MeetingEnded: Encodable {
        var type = "meeting_ended"
        var reason: EndReason
    }

    struct Removed: Encodable {
        enum Reason: String, Encodable {
            case replaced
            case noMedia = "no_media"
            /// It is at another PoP now.
            case moved
            /// By a host.
            case removed
        }

        var type = "removed"
        var reason: Reason
    }
}

/// Why a participant is gone.
enum LeaveReason: String, Encodable, Sendable {
    case left
    /// The socket was lost and did not come back in time.
    case lost
    /// A host took it out.
    case removed
    /// It only watches from now on.
    case demoted
}

/// Why a meeting is over.
enum EndReason: String, Codable, Sendable {
    case ended
    /// Nobody was here for too long.
    case empty
    case shutdown
}

extension JSONText {
    /// An empty Slot says so: `null`, not absence.
    fileprivate mutating func add(slots: [SlotAssignment]) {
        add(list: slots) { json, slot in
            json.add(#"{"mid":"#)
            json.add(string: slot.mid)
            json.add(#","participant_id":"#)
            if let participant = slot.participant {
                json.add(string: participant.rawValue)
            } else {
                json.add("null")
            }
            json.add(#","source":"#)
            json.add(string: slot.source.rawValue)
            json.add("}")
        }
    }
}
