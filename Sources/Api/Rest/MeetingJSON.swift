import Foundation
import Meetings

/// The bodies of `POST` and `PATCH /api/v1/meetings`.
struct PlanJSON: CallBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case topic, type, duration, timezone, recurrence, password, settings
        case startTime = "start_time"
    }

    var topic: String?
    var type: MeetingType?
    var startTime: String?
    /// Minutes.
    var duration: Int?
    var timezone: String?
    var recurrence: String?
    /// In a PATCH: empty removes it.
    var password: String?
    var settings: Strict<SettingsJSON>?

    /// - Throws: `Problem` 400 where `start_time` is no RFC 3339 time; `MeetingError` of an unknown time zone.
    func applied(to plan: MeetingPlan) throws -> MeetingPlan {
        var plan = plan
        if let startTime {
            guard let start = Timestamp(rfc3339: startTime) else {
                throw Problem.malformed("The field start_time is not a time that there is, as RFC 3339 writes it.")
            }
            plan.startTime = start
        }
        if let timezone, !TimeZone.isInDatabase(timezone) {
            throw MeetingError.invalid(field: "timezone", reason: "an IANA time zone, such as Europe/Berlin")
        }
        plan.topic = topic ?? plan.topic
        plan.type = type ?? plan.type
        plan.duration = duration ?? plan.duration
        plan.timezone = timezone ?? plan.timezone
        plan.recurrence = recurrence ?? plan.recurrence
        plan.settings = settings?.body.applied(to: plan.settings) ?? plan.settings
        return plan
    }
}

/// A meeting as its owner sees it.
struct MeetingJSON: Encodable {
    var meetingId: String
    var meetingNumber: String
    var topic: String
    var type: MeetingType
    var state: Meeting.State
    var locked: Bool
    var hasPassword: Bool
    var startTime: String?
    var duration: Int?
    var timezone: String?
    var recurrence: String?
    var joinUrl: String
    var createdAt: String
    var participantCount: Int
    var settings: SettingsJSON
    /// Only in the answer to `POST`.
    var startUrl: String?
    var hostKey: String?
    var password: String?

    init(_ meeting: Meeting, base: String) {
        meetingId = meeting.id.rawValue
        meetingNumber = meeting.number.description
        topic = meeting.plan.topic
        type = meeting.plan.type
        state = meeting.state
        locked = meeting.isLocked
        hasPassword = meeting.password != nil
        startTime = meeting.plan.startTime?.rfc3339
        duration = meeting.plan.duration
        timezone = meeting.plan.timezone
        recurrence = meeting.plan.recurrence
        // The page then asks for no camera before it is on the panel.
        joinUrl = "\(base)/?meeting=\(meeting.number)\(meeting.plan.settings.webinar ? "&webinar=1" : "")"
        createdAt = meeting.createdAt.rfc3339
        participantCount = meeting.roster.count
        settings = SettingsJSON(meeting.plan.settings)
    }

    /// With what is told once. The host key is in the fragment, which browsers do not send to servers.
    func withSecrets(of meeting: Meeting, password: String?) -> MeetingJSON {
        var json = self
        json.startUrl = "\(joinUrl)#host_key=\(meeting.hostKey)"
        json.hostKey = meeting.hostKey
        json.password = password
        return json
    }
}

/// One page of a list.
struct MeetingListJSON: Encodable {
    var meetings: [MeetingJSON]
    /// Give it as `after` for the next page; absent on the last.
    var next: String?
}

/// The body of `POST /api/v1/meetings/{id}/join`.
struct JoinJSON: CallBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case password, panelist
        case displayName = "display_name"
        case hostKey = "host_key"
        case deviceInfo = "device_info"
    }

    var displayName: String
    var password: String?
    var hostKey: String?
    /// On the panel of a webinar: by a service that may host it.
    var panelist: Bool?
    var deviceInfo: Ignored?
}

/// What a join answers.
struct JoinedJSON: Encodable {
    struct State: Encodable {
        var meetingId: String
        var meetingNumber: String
        var topic: String
        var state: Meeting.State
        var locked: Bool
        var participantCount: Int
    }

    var participantId: String
    var sessionToken: String
    var signalingUrl: String
    var mediaServer: String
    var iceServers: [ICEServer]
    var role: Role
    var meetingState: State

    init(
        _ participant: Participant, in meeting: Meeting, token: String, signaling: String, media: String,
        iceServers: [ICEServer]
    ) {
        self.iceServers = iceServers
        participantId = participant.id.rawValue
        sessionToken = token
        signalingUrl = signaling
        mediaServer = media
        role = participant.role
        meetingState = State(
            meetingId: meeting.id.rawValue, meetingNumber: meeting.number.description, topic: meeting.plan.topic,
            state: meeting.state, locked: meeting.isLocked, participantCount: meeting.roster.count)
    }
}

/// The body of `POST /api/v1/meetings/{id}/leave`.
struct LeaveJSON: CallBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case participantId = "participant_id"
    }

    var participantId: String
}

extension TimeZone {
    /// Whether the database of time zones has the name: not an abbreviation, nor an offset, which Foundation takes too.
    static func isInDatabase(_ name: String) -> Bool {
        let also: Set = ["UTC", "GMT", "EST", "MST", "HST", "WET", "EET", "CET", "MET"]
        guard TimeZone(identifier: name) != nil, abbreviationDictionary[name] == nil || also.contains(name) else {
            return false
        }
        return name.wholeMatch(of: /(GMT|UTC)[+-]?[0-9:]+/) == nil
    }
}
