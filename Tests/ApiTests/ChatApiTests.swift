import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct Chats {
    /// Ada is the host, Bob and Cyd are guests; nobody has anything to hear any more.
    private static func people(_ node: ApiNode, _ meeting: Value) async throws -> [Visitor] {
        let ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
        let bob = try await node.enter(meeting, "Bob")
        let cyd = try await node.enter(meeting, "Cyd")
        for socket in [ada.socket, ada.socket, bob.socket] { _ = try await socket.next("participant_joined") }
        return [ada, bob, cyd]
    }

    private static func page(
        _ node: ApiNode, _ meeting: Value, _ token: String, _ query: String = ""
    ) async throws -> (texts: [String], json: Value) {
        let path = "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/chat\(query)"
        let answer = try await node.call("GET", path, token: token)
        try #require(answer.status == 200, "\(answer.body)")
        let json = answer.json
        let texts = (0..<(json["messages"]?.count ?? 0)).compactMap { json["messages"]?[$0]?["text"]?.string }
        return (texts, json)
    }

    @Test func allHearWhatIsSaidAndTwoWhatIsPrivate() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let people = try await Self.people(node, meeting)
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            #expect(ada.joined["last_chat"] == nil)
            try await bob.socket.say(["type": "chat", "id": 7, "text": "<b>Hello</b>\nall"])
            var heard: [Value] = []
            for person in people { heard.append(try await person.socket.next("chat")) }
            #expect(heard[0] == heard[1] && heard[1] == heard[2])
            let message = try #require(heard[0]["message"])
            #expect(message["text"] == "<b>Hello</b>\nall" && message["sender_id"]?.string == bob.id)
            #expect(message["sender_name"] == "Bob" && message["recipient_id"] == nil && message["deleted"] == nil)
            #expect(message["sent_at"]?.string == node.clock.now.rfc3339)

            let whisper: Value = [
                "type": "chat", "text": "psst", "recipient_id": .string(ada.id), "reply_to": message["chat_id"] ?? nil,
            ]
            try await bob.socket.say(whisper)
            for person in [ada, bob] {
                let told = try await person.socket.next("chat")
                #expect(told["message"]?["recipient_id"]?.string == ada.id)
                #expect(told["message"]?["reply_to"] == message["chat_id"])
            }
            // Nothing of it comes to the third, nor to who comes later.
            #expect(try await cyd.socket.ask(["type": "ping", "id": 1]) == ["type": "pong", "id": 1])
            let dan = try await node.enter(meeting, "Dan")
            #expect(dan.joined["last_chat"] == message["chat_id"])
            let token = try #require(dan.joined["session_token"]?.string)
            #expect(try await Self.page(node, meeting, token).texts == ["<b>Hello</b>\nall"])
            let own = try #require(ada.joined["session_token"]?.string)
            #expect(try await Self.page(node, meeting, own).texts == ["<b>Hello</b>\nall", "psst"])
            // The service reads what all were told.
            #expect(try await Self.page(node, meeting, node.token()).texts == ["<b>Hello</b>\nall"])
        }
    }

    @Test func messagesAreChangedByTheirWritersAndTakenAwayByHosts() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, node.meeting())
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            try await bob.socket.say(["type": "chat", "text": "Helo"])
            let id = try #require(try await cyd.socket.next("chat")["message"]?["chat_id"])
            let edit: Value = ["type": "chat_edit", "id": 1, "chat_id": id, "text": "x"]
            let deletion: Value = ["type": "chat_delete", "id": 1, "chat_id": id]
            for (person, message) in [(cyd, edit), (cyd, deletion), (ada, edit)] {
                try await person.socket.say(message)
                #expect(try await person.socket.next("error")["code"] == "forbidden")
            }
            try await bob.socket.say(["type": "chat_edit", "chat_id": id, "text": "Hello"])
            let edited = try await cyd.socket.next("chat")["message"]
            #expect(edited?["text"] == "Hello" && edited?["chat_id"] == id && edited?["edited_at"] != nil)
            try await ada.socket.say(["type": "chat_delete", "chat_id": id])
            let deleted = try await cyd.socket.next("chat")["message"]
            #expect(deleted?["text"] == "" && deleted?["chat_id"] == id && deleted?["deleted"] == true)
            for message: Value in [
                ["type": "chat_edit", "id": 2, "chat_id": id, "text": "again"],
                ["type": "chat_delete", "id": 2, "chat_id": id],
                ["type": "chat_delete", "id": 2, "chat_id": "c_other"],
                ["type": "chat_delete", "id": 2, "chat_id": "no id"],
                ["type": "chat", "id": 2, "text": "x", "reply_to": id],
            ] {
                try await bob.socket.say(message)
                #expect(try await bob.socket.next("error")["code"] == "chat_not_found", "\(message)")
            }
        }
    }

    @Test func whatIsWrongIsSaid() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            for (message, code) in [
                (["type": "chat", "id": 1], "malformed"), (["type": "chat", "id": 1, "text": 7], "malformed"),
                (["type": "chat", "id": 1, "text": " \n "], "invalid_field"),
                (["type": "chat", "id": 1, "text": .string(String(repeating: "x", count: 2_001))], "invalid_field"),
                (["type": "chat", "id": 1, "text": "x", "recipient_id": .string(ada.id)], "participant_not_found"),
                (["type": "chat", "id": 1, "text": "x", "recipient_id": "p_stranger"], "participant_not_found"),
                (["type": "chat", "id": 1, "text": "x", "recipient_id": "no id"], "participant_not_found"),
                (["type": "chat_edit", "id": 1, "chat_id": "c_1"], "malformed"),
            ] as [(Value, String)] {
                let refused = try await ada.socket.ask(message)
                #expect(refused["code"]?.string == code, "\(message)")
            }
            let path = "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/chat"
            let token = try #require(ada.joined["session_token"]?.string)
            for (query, status) in [
                ("?limit=0", 422), ("?limit=x", 422), ("?before=c_1&after=c_1", 422), ("?before=c_1", 404),
                ("?after=", 404),
                ("?query=", 422), ("?query=%2E", 422),
            ] {
                #expect(try await node.call("GET", path + query, token: token).status == status, "\(query)")
            }
            #expect(try await node.call("GET", path).status == 401)
            #expect(try await node.call("GET", path, token: node.token(user: "user-2")).status == 403)
            let other = try await node.enter(node.meeting(), "Bob")
            let stranger = try #require(other.joined["session_token"]?.string)
            #expect(try await node.call("GET", path, token: stranger).status == 403)
            #expect(try await node.call("POST", path, token: stranger, body: ["text": "x"]).status == 403)
            // A service is nobody who writes.
            #expect(try await node.call("POST", path, token: node.token(), body: ["text": "x"]).status == 401)
            let place = try await node.join(meeting, "Cyd")
            let early = try #require(place["session_token"]?.string)
            let refused = try await node.call("POST", path, token: early, body: ["text": "x"])
            #expect(refused.status == 409 && refused.code == "not_joined")
            #expect(try await node.call("GET", path, token: early).code == "not_joined")
        }
    }

    @Test func whoComesBackHearsWhatWasChangedMeanwhile() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, node.meeting())
            let (bob, cyd) = (people[1], people[2])
            var ids: [Value] = []
            for text: Value in ["one", "two", "three"] {
                try await bob.socket.say(["type": "chat", "text": text])
                ids.append(try #require(try await cyd.socket.next("chat")["message"]?["chat_id"]))
            }
            try await bob.socket.say(["type": "chat_edit", "chat_id": ids[0], "text": "1"])
            _ = try await cyd.socket.next("chat")
            node.clock.advanceUnheard(by: MeetingHub.chatMemory)
            try await bob.socket.say(["type": "chat_delete", "chat_id": ids[1]])
            _ = try await cyd.socket.next("chat")
            let again = try await SignalingClient.connect(port: node.port)
            let joined = try await again.ask([
                "type": "join", "id": 1, "session_token": try #require(cyd.joined["session_token"]),
                "resume": try #require(cyd.joined["resume"]),
            ])
            #expect(joined["resumed"] == true && joined["last_chat"] == ids[2])
            let told = try await again.next("chat")["message"]
            #expect(told?["chat_id"] == ids[1] && told?["deleted"] == true && told?["edited_at"] != nil)
            #expect(try await again.ask(["type": "ping", "id": 2]) == ["type": "pong", "id": 2])
        }
    }

    @Test func whoWritesTooMuchMustWait() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            _ = try await ada.socket.next("participant_joined")
            for number in 0..<MeetingHub.chatBurst {
                try await ada.socket.say(["type": "chat", "text": .string("\(number)")])
                _ = try await ada.socket.next("chat")
            }
            let refused = try await ada.socket.ask(["type": "chat", "id": 1, "text": "more"])
            #expect(refused["code"] == "too_many_requests" && refused["retry_after_s"] == 1)
            // Others are not kept from it, nor is it later.
            try await bob.socket.say(["type": "chat", "text": "Bob's"])
            #expect(try await ada.socket.next("chat")["message"]?["text"] == "Bob's")
            node.clock.advanceUnheard(by: .seconds(1))
            try await ada.socket.say(["type": "chat", "text": "more"])
            #expect(try await ada.socket.next("chat")["message"]?["text"] == "more")
            let token = try #require(ada.joined["session_token"]?.string)
            let path = "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/chat"
            for _ in 0..<MeetingHub.historyBurst {
                #expect(try await node.call("GET", path, token: token).status == 200)
            }
            let answer = try await node.call("GET", path, token: token)
            #expect(answer.status == 429 && answer.headers["retry-after"] == "1")
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_chat_messages_total 12\n"))
        }
    }

    @Test func theHistoryComesInPages() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let token = try #require(ada.joined["session_token"]?.string)
            let path = "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/chat"
            for number in 1...7 {
                let made = try await node.call("POST", path, token: token, body: ["text": .string("word\(number)")])
                #expect(made.status == 201 && made.json["text"]?.string == "word\(number)")
                #expect(try await ada.socket.next("chat")["message"] == made.json)
            }
            let newest = try await Self.page(node, meeting, token, "?limit=3")
            #expect(newest.texts == ["word5", "word6", "word7"] && newest.json["next"] == nil)
            let previous = try #require(newest.json["previous"]?.string)
            let middle = try await Self.page(node, meeting, token, "?limit=3&before=\(previous)")
            #expect(middle.texts == ["word2", "word3", "word4"])
            let first = try await Self.page(
                node, meeting, token, "?limit=3&before=\(middle.json["previous"]?.string ?? "")")
            #expect(first.texts == ["word1"] && first.json["previous"] == nil)
            let forth = try await Self.page(node, meeting, token, "?limit=5&after=\(first.json["next"]?.string ?? "")")
            #expect(forth.texts == (2...6).map { "word\($0)" })
            let end = try await Self.page(node, meeting, token, "?limit=5&after=\(forth.json["next"]?.string ?? "")")
            #expect(end.texts == ["word7"] && end.json["next"] == nil)
            #expect(try await Self.page(node, meeting, token, "?query=WORD6").texts == ["word6"])
        }
    }

    @Test func withAStoreAllOfItStays() async throws {
        let folder = try StoreFolder()
        let made = Box<Value>(.null)
        let count = ChatLog.limit + 20
        try await folder.run { node async throws in
            let meeting = try await node.meeting()
            made.value = meeting
            let ada = try await node.enter(meeting, "Ada")
            try await ada.socket.say(["type": "chat", "text": "word1"])
            _ = try await ada.socket.next("chat")
        }
        let meeting = try #require(made.value["meeting_id"]?.string.flatMap { MeetingID($0) })
        try await folder.write { store in
            for number in 2...UInt64(count) {
                let message = ChatMessage(
                    id: ChatMessageID("c_\(number)")!, sender: ParticipantID("p_1")!, senderName: "Ada",
                    sentAt: Timestamp(milliseconds: 1_800_000_000_000), text: "word\(number)", number: number)
                store.noteChat(message, in: meeting)
            }
        }
        try await folder.run { node async throws in
            let meeting = made.value
            let token = try await node.token()
            let ada = try await node.enter(meeting, "Ada")
            #expect(ada.joined["last_chat"]?.string == "c_\(count)")
            try await ada.socket.say(["type": "chat", "text": "word again"])
            _ = try await ada.socket.next("chat")
            // Through memory and the Store, backwards.
            var texts: [String] = []
            var place = ""
            while let page = try? await Self.page(node, meeting, token, "?limit=150\(place)") {
                texts = page.texts + texts
                guard let previous = page.json["previous"]?.string else { break }
                place = "&before=\(previous)"
            }
            #expect(texts == (1...count).map { "word\($0)" } + ["word again"])
            let found = try await Self.page(node, meeting, token, "?query=word2&limit=200").texts
            #expect(found == ["word2"] + (20...29).map { "word\($0)" } + (200...299).map { "word\($0)" })
            // One that is in the Store alone, and what is there before and behind it.
            let behind = try await Self.page(node, meeting, token, "?limit=30&after=c_10").texts
            #expect(behind == (11...40).map { "word\($0)" })
            #expect(try await Self.page(node, meeting, token, "?limit=2&before=c_10").texts == ["word8", "word9"])
            let path = "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/chat"
            #expect(try await node.call("GET", path + "?before=c_0", token: token).code == "chat_not_found")
            // It is too old to be changed.
            try await ada.socket.say(["type": "chat_delete", "id": 1, "chat_id": "c_10"])
            #expect(try await ada.socket.next("error")["code"] == "chat_not_found")
        }
    }
}
