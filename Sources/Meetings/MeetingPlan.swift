/// Once, at a time, or again and again.
public enum MeetingType: String, Sendable, Codable, CaseIterable {
    case instant, scheduled, recurring
}

/// What a host asks for; `validated` makes it fit to become a Meeting.
public struct MeetingPlan: Sendable, Hashable, Codable {
    public var topic: String
    public var type: MeetingType
    public var startTime: Timestamp?
    /// Minutes.
    public var duration: Int?
    /// IANA name.
    public var timezone: String?
    /// RRULE (RFC 5545 section 3.3.10).
    public var recurrence: String?
    public var settings: MeetingSettings

    public init(
        topic: String = "Meeting", type: MeetingType = .instant, startTime: Timestamp? = nil,
        duration: Int? = nil, timezone: String? = nil, recurrence: String? = nil,
        settings: MeetingSettings = MeetingSettings()
    ) {
        self.topic = topic
        self.type = type
        self.startTime = startTime
        self.duration = duration
        self.timezone = timezone
        self.recurrence = recurrence
        self.settings = settings
    }

    /// The plan with a tidy topic.
    ///
    /// - Throws: `invalid`, `startInPast` (more than a minute ago), `settingUnavailable`.
    public func validated(at now: Timestamp, within limits: Limits) throws(MeetingError) -> MeetingPlan {
        var plan = self
        plan.topic = try Limits.line(topic, field: "topic", maximum: limits.topic)
        if type != .instant {
            guard let startTime else { throw .invalid(field: "start_time", reason: "needed for this type") }
            guard startTime + .seconds(60) >= now else { throw .startInPast }
        }
        if let duration, !(1...1_440).contains(duration) {
            throw .invalid(field: "duration", reason: "from 1 to 1440 minutes")
        }
        if let timezone { try Self.checkTimezone(timezone) }
        switch (type, recurrence) {
        case (.recurring, nil): throw .invalid(field: "recurrence", reason: "needed for this type")
        case (.recurring, let rule?):
            guard rule.utf8.count <= 256 else { throw .invalid(field: "recurrence", reason: "at most 256 bytes") }
            if let fault = RecurrenceRule.fault(of: rule) { throw .invalid(field: "recurrence", reason: fault) }
        case (_, .some): throw .invalid(field: "recurrence", reason: "only for recurring meetings")
        case (_, nil): break
        }
        try settings.validate(within: limits)
        return plan
    }

    private static func checkTimezone(_ name: String) throws(MeetingError) {
        let isName =
            (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2f, 0x5f: true
                default: false
                }
            }
        if !isName { throw .invalid(field: "timezone", reason: "an IANA time zone") }
    }
}
