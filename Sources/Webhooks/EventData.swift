import Meetings

/// What a webhook says of its event. It has no secret of a meeting: neither its host key nor anything of its password.
public struct EventData: Encodable, Sendable, Equatable {
    /// A meeting as it is now.
    public struct Facts: Encodable, Sendable, Equatable {
        var meetingNumber: String
        var owner: String
        var topic: String
        var type: MeetingType
        var locked: Bool
        var hasPassword: Bool
        var createdAt: String
        var startTime: String?
        /// Minutes.
        var duration: Int?
        var timezone: String?
        var recurrence: String?
        var settings: Settings

        public init(_ record: MeetingRecord, isLocked: Bool) {
            meetingNumber = record.number.description
            owner = record.owner
            topic = record.plan.topic
            type = record.plan.type
            locked = isLocked
            hasPassword = record.password != nil
            createdAt = record.createdAt.eventText
            startTime = record.plan.startTime?.eventText
            duration = record.plan.duration
            timezone = record.plan.timezone
            recurrence = record.plan.recurrence
            settings = Settings(record.plan.settings)
        }
    }

    /// Names as REST has them.
    public struct Settings: Encodable, Sendable, Equatable {
        var waitingRoom: Bool
        var muteOnEntry: Bool
        var joinBeforeHost: Bool
        var allowScreenShare: Bool
        var allowChat: Bool
        var allowUnmute: Bool
        var maxParticipants: Int
        var recording: MeetingSettings.Recording
        var hostVideo: Bool
        var participantVideo: Bool
        var e2ee: Bool
        var webinar: Bool

        init(_ settings: MeetingSettings) {
            waitingRoom = settings.waitingRoom
            muteOnEntry = settings.muteOnEntry
            joinBeforeHost = settings.joinBeforeHost
            allowScreenShare = settings.allowScreenShare
            allowChat = settings.allowChat
            allowUnmute = settings.allowUnmute
            maxParticipants = settings.maxParticipants
            recording = settings.recording
            hostVideo = settings.hostVideo
            participantVideo = settings.participantVideo
            e2ee = settings.e2ee
            webinar = settings.webinar
        }
    }

    /// Somebody in the meeting.
    public struct Person: Encodable, Sendable, Equatable {
        var participantId: String
        var displayName: String
        var role: Role?

        public init(_ id: String, name: String, role: Role? = nil) {
            participantId = id
            displayName = name
            self.role = role
        }
    }

    /// A line of the audit trail, without the address.
    public struct Decision: Encodable, Sendable, Equatable {
        var action: String
        /// `service` or `participant`.
        var actorKind: String
        /// The user for whom a service called, or a participant.
        var actor: String
        /// The participant to whom it happens; nil: the meeting.
        var target: String?
        /// The actor may not, and nothing happened.
        var refused: Bool

        public init(_ action: String, byKind kind: String, _ actor: String, target: String?, isRefused: Bool) {
            self.action = action
            actorKind = kind
            self.actor = actor
            self.target = target
            refused = isRefused
        }
    }

    /// How a poll came out; never who chose what.
    public struct Outcome: Encodable, Sendable, Equatable {
        struct Option: Encodable, Sendable, Equatable {
            var text: String
            var votes: Int
        }

        var pollId: String
        var question: String
        var options: [Option]
        var multiple: Bool
        var anonymous: Bool
        var voters: Int

        public init(_ poll: Poll) {
            pollId = poll.id.rawValue
            question = poll.question
            options = zip(poll.options, poll.counts).map { Option(text: $0, votes: $1) }
            multiple = poll.isMultiple
            anonymous = poll.isAnonymous
            voters = poll.voters
        }
    }

    /// What somebody wrote to everybody, as it is now.
    public struct Message: Encodable, Sendable, Equatable {
        var messageId: String
        var participantId: String
        var displayName: String
        var replyTo: String?
        var sentAt: String
        /// Empty once it is deleted.
        var text: String
        var edited: Bool
        var deleted: Bool

        public init(_ message: ChatMessage) {
            messageId = message.id.rawValue
            participantId = message.sender.rawValue
            displayName = message.senderName
            replyTo = message.replyTo?.rawValue
            sentAt = message.sentAt.eventText
            text = message.text
            edited = message.editedAt != nil && !message.isDeleted
            deleted = message.isDeleted
        }
    }

    var meetingId: String
    var meeting: Facts?
    var participant: Person?
    var reason: String?
    var decision: Decision?
    var poll: Outcome?
    var message: Message?

    init(meetingId: String) { self.meetingId = meetingId }
}
