import Foundation
import Meetings
import TestSupport
import Testing

@testable import Webhooks

@Suite struct MeetingEvents {
    private static let id = MeetingID("m_1")!
    private static let now = Timestamp(milliseconds: 1_800_000_000_123)

    private static var record: MeetingRecord {
        var plan = MeetingPlan(topic: "Überblick \"1\"/2")
        plan.startTime = now
        return MeetingRecord(
            id: id, number: MeetingNumber("123456789")!, owner: "user-1", createdAt: now, hostKey: "the-host-key",
            plan: plan, password: PasswordHash(salt: [1, 2, 3], digest: [4, 5, 6]))
    }

    private static func read(_ event: MeetingEvent, _ sequence: Int64 = 7) throws -> [String: Any] {
        let body = Data(event.body(sequence).utf8)
        return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
    }

    @Test func aBodySaysWhatAndWhenAndInWhichOrder() throws {
        let body = try Self.read(.ended(Self.id, at: Self.now, reason: "ended"))
        #expect(Set(body.keys) == ["type", "timestamp", "sequence", "data"])
        #expect(body["type"] as? String == "meeting.ended" && body["sequence"] as? Int == 7)
        #expect(body["timestamp"] as? String == "2027-01-15T08:00:00.123Z")
        let data = try #require(body["data"] as? [String: String])
        #expect(data == ["meeting_id": "m_1", "reason": "ended"])
        #expect(MeetingEvent.started(Self.id, at: Self.now).id(7) == "m_1_7")
    }

    @Test func noSecretIsInABody() throws {
        for event in [MeetingEvent.created(Self.record), .updated(Self.record, isLocked: true, at: Self.now)] {
            let text = event.body(1)
            #expect(!text.contains("host-key") && !text.contains("host_key") && !text.contains("digest"))
            #expect(!text.contains("salt") && text.contains("\"has_password\":true"))
            let data = try #require(try Self.read(event)["data"] as? [String: Any])
            let meeting = try #require(data["meeting"] as? [String: Any])
            #expect(meeting["topic"] as? String == "Überblick \"1\"/2")
            #expect(meeting["meeting_number"] as? String == "123-456-789")
            #expect(meeting["locked"] as? Bool == (event.type == .meetingUpdated))
        }
    }

    @Test func chatsAreToldOnlyToWhomAsksForThem() {
        #expect(!EventType.usual.contains(.chatMessage))
        #expect(EventType.usual.count == EventType.allCases.count - 1)
        #expect(WebhookSubscription(endpoint: "a").events == EventType.usual)
    }
}
