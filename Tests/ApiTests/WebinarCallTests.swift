import Conference
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(3))) struct WebinarCalls {
    /// Ada is the host, Pam on the panel, Ann and Ben watch; nobody has anything to hear any more.
    private struct People {
        let meeting: Value
        let ada: Visitor
        let pam: Visitor
        let ann: Visitor
        let ben: Visitor

        init(_ node: ApiNode) async throws {
            meeting = try await node.meeting(["topic": "Launch", "settings": ["webinar": true]])
            ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
            pam = try await node.enter(meeting, "Pam")
            try await WebinarCalls.say(ada, "promote", ["participant_id": .string(pam.id)])
            _ = try await pam.socket.next("participant_update")
            ann = try await node.enter(meeting, "Ann")
            ben = try await node.enter(meeting, "Ben")
            for visitor in [ada, pam, ann, ben] { try await WebinarCalls.catchUp(visitor) }
        }
    }

    private static func say(_ person: Visitor, _ type: String, _ fields: [String: Value] = [:]) async throws {
        try await person.socket.say(.object(fields.merging(["type": .string(type)]) { $1 }))
    }

    private static func code(_ person: Visitor, _ type: String, _ fields: [String: Value] = [:]) async throws -> String?
    {
        try await person.socket.say(.object(fields.merging(["type": .string(type), "id": 7]) { $1 }))
        return try await person.socket.next("error")["code"]?.string
    }

    private static func catchUp(_ person: Visitor) async throws {
        _ = try await person.socket.ask(["type": "ping", "id": 99])
    }

    /// What somebody was told by now, but for how many watch.
    private static func heard(_ person: Visitor) async throws -> [Value] {
        try await person.socket.say(["type": "ping", "id": 98])
        var heard: [Value] = []
        while true {
            let next = try await person.socket.next()
            if next["type"] == "pong" { return heard }
            if next["type"] != "audience" { heard.append(next) }
        }
    }

    private static func names(_ joined: Value) -> [String?] {
        (0..<(joined["participants"]?.count ?? 0)).map { joined["participants"]?[$0]?["display_name"]?.string }
    }

    @Test func attendeesHearOfThePanelAloneAndHostsOfEverybody() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            #expect(people.ann.joined["you"]?["role"] == "attendee")
            #expect(people.ann.joined["meeting"]?["settings"]?["webinar"] == true)
            for visitor in [people.ann, people.ben] { #expect(Self.names(visitor.joined) == ["Ada", "Pam"]) }
            #expect(people.ben.joined["attendees"] == 2)
            let cyd = try await node.enter(people.meeting, "Cyd")
            let joined = try await people.ada.socket.next("participant_joined")
            #expect(joined["participant"]?["display_name"] == "Cyd" && joined["participant"]?["role"] == "attendee")
            for other in [people.pam, people.ann, people.ben] { #expect(try await Self.heard(other) == []) }
            // A hand is for hosts.
            try await Self.say(cyd, "media_state", ["hand_raised": true])
            let hand = try await people.ada.socket.next("media_state")
            #expect(hand["participant_id"] == .string(cyd.id) && hand["hand_raised"] == true)
            try await Self.say(cyd, "leave")
            _ = try await people.ada.socket.next("participant_left")
            for other in [people.pam, people.ann, people.ben] { #expect(try await Self.heard(other) == []) }
            // Another host hears of all who watch.
            let bob = try await node.enter(
                people.meeting, "Bob", ["host_key": try #require(people.meeting["host_key"])])
            #expect(Self.names(bob.joined) == ["Ada", "Pam", "Ann", "Ben"])
            for other in [people.pam, people.ann] {
                #expect(try await other.socket.next("participant_joined")["participant"]?["display_name"] == "Bob")
            }
        }
    }

    @Test func whatAnAttendeeSendsNobodyGetsUntilItIsOnThePanel() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            let ann = try #require(ParticipantID(people.ann.id))
            #expect(try await Self.code(people.ann, "media_state", ["audio": true]) == "attendee_media")
            #expect(try await Self.code(people.ann, "media_state", ["video": true]) == "attendee_media")
            try await Self.say(people.ann, "offer", ["sdp": "v=0"])
            _ = try await people.ann.socket.next("answer")
            #expect(node.media.states(of: ann).last == PublishedMedia(isSilenced: true))
            try await Self.say(people.ada, "promote", ["participant_id": .string(people.ann.id)])
            let update: Value = [
                "type": "participant_update", "participant_id": .string(people.ann.id), "role": "panelist",
            ]
            #expect(try await people.ann.socket.next("participant_update") == update)
            #expect(try await people.ada.socket.next("participant_update") == update)
            for other in [people.pam, people.ben] {
                let joined = try await other.socket.next("participant_joined")
                #expect(joined["participant"]?["participant_id"] == .string(people.ann.id))
            }
            try await Self.say(people.ann, "media_state", ["audio": true, "video": true])
            for other in [people.ada, people.pam, people.ben] {
                let state = try await other.socket.next("media_state")
                #expect(state["audio"] == true && state["video"] == true)
            }
            try await Self.catchUp(people.ann)
            #expect(node.media.states(of: ann).last == PublishedMedia(audio: true, video: true))
            try await Self.say(people.ada, "demote", ["participant_id": .string(people.ann.id)])
            let off = try await people.ann.socket.next("media_state")
            #expect(off["turned_off"] == ["audio", "video"] && off["audio"] == false)
            #expect(try await people.ann.socket.next("participant_update")["role"] == "attendee")
            for other in [people.pam, people.ben] {
                let left = try await other.socket.next("participant_left")
                #expect(left["participant_id"] == .string(people.ann.id) && left["reason"] == "demoted")
            }
            try await Self.catchUp(people.ada)
            #expect(node.media.states(of: ann).last == PublishedMedia(isSilenced: true))
        }
    }

    @Test func aCoHostIsToldWhoWatchesAndOnlyHostsAndCoHostsPromote() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            let ann: [String: Value] = ["participant_id": .string(people.ann.id)]
            for person in [people.pam, people.ann] {
                #expect(try await Self.code(person, "promote", ann) == "forbidden")
            }
            let nobody: [String: Value] = ["participant_id": "p_nobody"]
            #expect(try await Self.code(people.ada, "promote", nobody) == "participant_not_found")
            #expect(
                try await Self.code(
                    people.ada, "set_role", ["participant_id": .string(people.pam.id), "role": "participant"])
                    == "webinar_role")
            try await Self.say(
                people.ada, "set_role", ["participant_id": .string(people.pam.id), "role": "co_host"])
            #expect(try await people.pam.socket.next("participant_update")["role"] == "co_host")
            let attendees = try await people.pam.socket.next("attendees")
            #expect(Self.names(attendees) == ["Ann", "Ben"])
            try await Self.say(people.pam, "promote", ann)
            _ = try await people.ann.socket.next("participant_update")
            #expect(try await people.ann.socket.next("participant_update")["role"] == "panelist")
            let other = try await node.meeting(["topic": "Standup"])
            let host = try await node.enter(other, "Ida", ["host_key": try #require(other["host_key"])])
            let guest = try await node.enter(other, "Gus")
            #expect(try await Self.code(host, "promote", ["participant_id": .string(guest.id)]) == "not_webinar")
            #expect(try await Self.code(guest, "qa_ask", ["text": "Why?"]) == "not_webinar")
            #expect(guest.joined["attendees"] == nil)
        }
    }

    @Test func questionsGoToThePanelAndAnswersToEverybody() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            try await Self.say(people.ann, "qa_ask", ["text": "Why?", "id": 1])
            let own = try await people.ann.socket.next("question")["question"]
            #expect(own?["own"] == true && own?["state"] == "open" && own?["display_name"] == "Ann")
            let id = try #require(own?["question_id"])
            for person in [people.ada, people.pam] {
                let question = try await person.socket.next("question")["question"]
                #expect(question?["text"] == "Why?" && question?["own"] == nil)
                #expect(question?["participant_id"] == .string(people.ann.id))
            }
            #expect(try await Self.heard(people.ben) == [])
            #expect(try await Self.code(people.ben, "qa_answer", ["question_id": id]) == "forbidden")
            try await Self.say(people.pam, "qa_answer", ["question_id": id, "state": "dismissed"])
            #expect(try await people.ann.socket.next("question")["question"]?["state"] == "dismissed")
            #expect(try await Self.heard(people.ben) == [])
            try await Self.say(people.pam, "qa_answer", ["question_id": id, "text": "So."])
            for person in [people.ann, people.ben] {
                let question = try await person.socket.next("question")["question"]
                #expect(question?["state"] == "answered" && question?["answer"] == "So.")
                #expect(question?["answered_by"] == "Pam")
            }
            #expect(
                try await Self.code(people.ada, "qa_answer", ["question_id": id, "state": "open"])
                    == "question_answered")
            // Nobody is told who asks anonymously.
            try await Self.say(people.ben, "qa_ask", ["text": "Who?", "anonymous": true])
            #expect(try await people.ben.socket.next("question")["question"]?["own"] == true)
            var hidden = try await people.ada.socket.next("question")["question"]
            while hidden?["text"] != "Who?" { hidden = try await people.ada.socket.next("question")["question"] }
            #expect(hidden?["anonymous"] == true)
            #expect(hidden?["participant_id"] == nil && hidden?["display_name"] == nil)
            // Who comes later reads what is answered, and on the panel all.
            let eve = try await node.enter(people.meeting, "Eve")
            #expect(eve.joined["questions"]?.count == 1 && eve.joined["questions"]?[0]?["answer"] == "So.")
            try await Self.say(people.ada, "promote", ["participant_id": .string(eve.id)])
            let all = try await eve.socket.next("questions")
            #expect(all["questions"]?.count == 2 && all["questions"]?[1]?["text"] == "Who?")
            try await Self.say(people.ada, "demote", ["participant_id": .string(eve.id)])
            #expect(try await eve.socket.next("questions")["questions"]?.count == 1)
        }
    }

    @Test func questionsHaveALimitOfRate() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            for number in 0..<MeetingHub.questionBurst {
                try await Self.say(people.ann, "qa_ask", ["text": .string("Question \(number)")])
            }
            #expect(try await Self.code(people.ann, "qa_ask", ["text": "One more"]) == "too_many_requests")
            #expect(try await Self.code(people.ben, "qa_ask", ["text": " "]) == "invalid_field")
        }
    }

    @Test func aServiceBringsSomebodyOnThePanelAndOthersDoNot() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            let id = try #require(people.meeting["meeting_id"]?.string)
            let body: Value = ["display_name": "Sue", "panelist": true]
            let path = "/api/v1/meetings/\(id)/join"
            #expect(try await node.call("POST", path, body: body).status == 403)
            let stranger = try await node.token([], user: "user-2")
            #expect(try await node.call("POST", path, token: stranger, body: body).status == 403)
            let joined = try await node.call("POST", path, token: node.token([]), body: body)
            #expect(joined.status == 200 && joined.json["role"] == "panelist")
            // Who may host asks for no more than the panel.
            let admin = try await node.token([Grants.admin])
            #expect(try await node.call("POST", path, token: admin, body: body).json["role"] == "panelist")
            let other = try await node.meeting(["topic": "Standup"])
            let elsewhere = "/api/v1/meetings/\(try #require(other["meeting_id"]?.string))/join"
            let refused = try await node.call("POST", elsewhere, token: node.token([]), body: body)
            #expect(refused.status == 409 && refused.json["code"] == "webinar_role")
            let change: Value = ["settings": ["webinar": false]]
            let patched = try await node.call("PATCH", "/api/v1/meetings/\(id)", token: node.token(), body: change)
            #expect(patched.status == 409 && patched.json["code"] == "in_progress")
        }
    }

    @Test func whoComesBackIsWhatAHostMadeItMeanwhile() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            try await Self.say(people.pam, "media_state", ["audio": true, "video": true])
            try await Self.catchUp(people.pam)
            for person in [people.ann, people.pam] { try await person.socket.vanish() }
            for _ in 0..<2 { _ = try await people.ada.socket.next("participant_update") }
            try await Self.say(people.ada, "promote", ["participant_id": .string(people.ann.id)])
            try await Self.say(people.ada, "demote", ["participant_id": .string(people.pam.id)])
            try await Self.catchUp(people.ada)
            func back(_ person: Visitor) async throws -> (SignalingClient, Value) {
                let socket = try await SignalingClient.connect(port: node.port)
                let joined = try await socket.ask([
                    "type": "join", "id": 1, "session_token": .string(person.token), "resume": .string(person.resume),
                    "media_state": ["audio": true, "video": true],
                ])
                return (socket, joined)
            }
            let (_, ann) = try await back(people.ann)
            #expect(ann["you"]?["role"] == "panelist" && Self.names(ann) == ["Ada"])
            let (socket, pam) = try await back(people.pam)
            #expect(pam["you"]?["role"] == "attendee" && Self.names(pam) == ["Ada", "Ann"])
            let state = try await socket.next("media_state")
            #expect(state["turned_off"] == ["audio", "video"] && state["audio"] == false)
            let id = try #require(ParticipantID(people.pam.id))
            #expect(node.media.states(of: id).last == PublishedMedia(isSilenced: true))
            // On the panel already, or above it, nobody loses anything by it.
            try await Self.say(people.ada, "promote", ["participant_id": .string(people.ada.id), "id": 5])
            #expect(try await people.ada.socket.next("ok")["id"] == 5)
            #expect(
                try await Self.code(people.ada, "demote", ["participant_id": .string(people.ada.id)]) == "last_host")
            let ask: [String: Value] = ["participant_id": .string(people.ben.id)]
            #expect(try await Self.code(people.ada, "ask_unmute", ask) == "attendee_media")
        }
    }

    @Test func howManyWatchIsToldOnceASecond() async throws {
        try await ApiNode.run { node async throws in
            let people = try await People(node)
            await node.clock.advance(by: .seconds(1))
            for person in [people.ada, people.ann] {
                #expect(try await person.socket.next("audience")["attendees"] == 2)
            }
            await node.clock.advance(by: .seconds(1))
            #expect(try await Self.heard(people.ann) == [])
        }
    }
}
