import Foundation
import Meetings
import TestSupport
import Testing

@testable import Api

/// Bodies of calls that were valid once, bent at random: each is read or refused in words, and what is read fits a meeting.
struct BodyMutationTests {
    private static let valid = [
        #"{"topic":"Standup","type":"scheduled","start_time":"2029-02-28T09:00:00Z","duration":30,"timezone":"UTC"}"#,
        #"{"type":"recurring","start_time":"2029-01-01T00:00:00+01:00","recurrence":"FREQ=WEEKLY;BYDAY=MO,WE;COUNT=8"}"#,
        #"{"topic":"a","password":"sesame","settings":{"max_participants":20,"join_before_host":false,"e2ee":null}}"#,
        #"{"settings":{"recording":"none","host_video":true,"participant_video":false,"mute_on_entry":true}}"#,
    ]
    private static let others = [
        #"{"display_name":"Ada","password":"sesame","host_key":"k","device_info":{"os":["a",1,{"b":null}]}}"#,
        #"{"participant_id":"p_1"}"#, #"{"text":"Hello","recipient_id":"p_1","reply_to":"c_1"}"#,
    ]

    private static func read<Body: CallBody>(_ type: Body.Type, _ bytes: [UInt8]) throws(Problem) -> Body {
        do {
            return try JSON.decode(Strict<Body>.self, from: bytes).body
        } catch let error as UnknownField {
            #expect(error.name.count <= 100)
            throw Problem(400, "unknown_field", error.name)
        } catch {
            throw Problem.malformed(JSON.complaint(error))
        }
    }

    @Test(arguments: 1...4) func whateverComesIsReadOrRefused(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        var taken = 0
        var refused = 0
        for round in 0..<4_000 {
            let texts = round % 3 == 0 ? Self.others : Self.valid
            let bytes = bent(texts.randomElement(using: &random) ?? "", &random)
            do {
                if round % 3 == 0 {
                    switch round % 9 {
                    case 0: _ = try Self.read(JoinJSON.self, bytes).displayName
                    case 3: _ = try Self.read(LeaveJSON.self, bytes).participantId
                    default: _ = try Self.read(ChatDraftJSON.self, bytes).draft
                    }
                } else {
                    let plan = try Self.read(PlanJSON.self, bytes).applied(to: MeetingPlan())
                    let meant = try plan.validated(at: now, within: Limits())
                    #expect((1...200).contains(meant.topic.count))
                    #expect(meant.startTime.map { $0 + .seconds(60) >= now } ?? true)
                }
                taken += 1
            } catch {
                #expect((400..<500).contains(Problem(any: error).status.code))
                refused += 1
            }
        }
        // Both ways were gone.
        #expect(taken > 200 && refused > 200, "\(taken) taken, \(refused) refused")
    }
}
