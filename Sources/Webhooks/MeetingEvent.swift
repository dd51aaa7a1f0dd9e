import Foundation
import Meetings

/// Something that happened to a meeting, and that others are told of.
public struct MeetingEvent: Sendable, Equatable {
    public let type: EventType
    public let meeting: MeetingID
    public let at: Timestamp
    private let data: EventData

    private init(
        _ type: EventType, of meeting: MeetingID, at moment: Timestamp, _ fill: (inout EventData) -> Void = { _ in }
    ) {
        self.type = type
        self.meeting = meeting
        at = moment
        var data = EventData(meetingId: meeting.rawValue)
        fill(&data)
        self.data = data
    }

    public static func created(_ record: MeetingRecord) -> MeetingEvent {
        MeetingEvent(.meetingCreated, of: record.id, at: record.createdAt) {
            $0.meeting = .init(record, isLocked: false)
        }
    }

    public static func updated(_ record: MeetingRecord, isLocked: Bool, at moment: Timestamp) -> MeetingEvent {
        MeetingEvent(.meetingUpdated, of: record.id, at: moment) { $0.meeting = .init(record, isLocked: isLocked) }
    }

    public static func started(_ meeting: MeetingID, at moment: Timestamp) -> MeetingEvent {
        MeetingEvent(.meetingStarted, of: meeting, at: moment)
    }

    public static func ended(_ meeting: MeetingID, at moment: Timestamp, reason: String) -> MeetingEvent {
        MeetingEvent(.meetingEnded, of: meeting, at: moment) { $0.reason = reason }
    }

    public static func joined(_ person: EventData.Person, _ meeting: MeetingID, at moment: Timestamp) -> MeetingEvent {
        MeetingEvent(.participantJoined, of: meeting, at: moment) { $0.participant = person }
    }

    public static func left(
        _ person: EventData.Person, _ meeting: MeetingID, at moment: Timestamp, reason: String
    ) -> MeetingEvent {
        MeetingEvent(.participantLeft, of: meeting, at: moment) {
            $0.participant = person
            $0.reason = reason
        }
    }

    public static func roleChanged(
        _ person: EventData.Person, _ meeting: MeetingID, at moment: Timestamp
    ) -> MeetingEvent {
        MeetingEvent(.participantRoleChanged, of: meeting, at: moment) { $0.participant = person }
    }

    public static func decided(
        _ decision: EventData.Decision, _ meeting: MeetingID, at moment: Timestamp
    ) -> MeetingEvent {
        MeetingEvent(.hostDecision, of: meeting, at: moment) { $0.decision = decision }
    }

    public static func closed(_ poll: Poll, _ meeting: MeetingID, at moment: Timestamp) -> MeetingEvent {
        MeetingEvent(.pollClosed, of: meeting, at: moment) { $0.poll = .init(poll) }
    }

    public static func wrote(_ message: ChatMessage, _ meeting: MeetingID) -> MeetingEvent {
        MeetingEvent(.chatMessage, of: meeting, at: message.editedAt ?? message.sentAt) {
            $0.message = .init(message)
        }
    }

    private struct Body: Encodable {
        var type: String
        var timestamp: String
        var sequence: Int64
        var data: EventData
    }

    /// The webhook's identifier: there is one event of a meeting with this number.
    public func id(_ sequence: Int64) -> String { "\(meeting)_\(sequence)" }

    /// The webhook's body, JSON.
    ///
    /// - Parameter sequence: the event's number among those of its meeting, from 1.
    public func body(_ sequence: Int64) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let body = Body(type: type.rawValue, timestamp: at.eventText, sequence: sequence, data: data)
        // Plain structs of strings and numbers always encode.
        return (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Timestamp {
    /// As webhooks say it: RFC 3339, UTC, with milliseconds.
    var eventText: String {
        // Beyond this range no calendar helps, and the conversion would trap. Fractions of a Double are not these milliseconds.
        let moment = min(max(milliseconds, -100_000_000_000_000), 100_000_000_000_000)
        let part = ((moment % 1_000) + 1_000) % 1_000
        let date = Date(timeIntervalSince1970: Double((moment - part) / 1_000))
        let digits = String(part + 1_000).dropFirst()
        return "\(date.formatted(Date.ISO8601FormatStyle()).dropLast()).\(digits)Z"
    }
}
