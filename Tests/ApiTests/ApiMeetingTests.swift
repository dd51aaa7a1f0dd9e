import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct MeetingCalls {
    @Test func aMeetingIsMadeAndItsSecretsAreToldOnce() async throws {
        try await ApiNode.run { node async throws in
            let token = try await node.token()
            let made = try await node.call(
                "POST", "/api/v1/meetings", token: token,
                body: ["topic": "Plan", "password": "sesame", "settings": ["max_participants": 5]])
            #expect(made.status == 201)
            let id = try #require(made.json["meeting_id"]?.string)
            let number = try #require(made.json["meeting_number"]?.string)
            #expect(made.headers["location"] == "/api/v1/meetings/\(id)")
            #expect(number.wholeMatch(of: /\d{3}-\d{3}-\d{3}/) != nil)
            #expect(made.json["password"] == "sesame")
            #expect(made.json["host_key"]?.string?.isEmpty == false)
            #expect(made.json["join_url"]?.string == "http://meet.test:8080/?meeting=\(number)")
            #expect(made.json["start_url"]?.string?.contains("#host_key=") == true)
            #expect(made.json["created_at"] == "2027-01-15T08:00:00Z")
            #expect(made.json["settings"]?["max_participants"] == 5)

            let read = try await node.call("GET", "/api/v1/meetings/\(id)", token: token)
            #expect(read.status == 200)
            #expect(read.json["topic"] == "Plan")
            #expect(read.json["has_password"] == true)
            #expect(read.json["password"] == nil)
            #expect(read.json["host_key"] == nil)
        }
    }

    @Test func aJoinAnswersWhatTheClientNeeds() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            let number = try #require(meeting["meeting_number"]?.string)
            let answer = try await node.call(
                "POST", "/api/v1/meetings/\(number)/join", body: ["display_name": "Ada", "password": "sesame"])
            #expect(answer.status == 200)
            #expect(answer.json["signaling_url"] == "ws://meet.test:8080/api/v1/signal")
            #expect(answer.json["media_server"] == "127.0.0.1:3478")
            #expect(answer.json["ice_servers"] == [])
            #expect(answer.json["role"] == "participant")
            #expect(answer.json["meeting_state"]?["meeting_id"] == meeting["meeting_id"])
            #expect(answer.headers["cache-control"] == "no-store")
        }
    }

    @Test func aPublicAddressIsUsedInLinks() async throws {
        var configuration = ApiNode.configuration
        configuration.publicURL = "https://meet.example.org/"
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            #expect(meeting["join_url"]?.string?.hasPrefix("https://meet.example.org/?meeting=") == true)
            let place = try await node.join(meeting, "Ada")
            #expect(place["signaling_url"] == "wss://meet.example.org/api/v1/signal")
        }
    }

    @Test func theOwnersServiceJoinsAsHost() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            let path = "/api/v1/meetings/\(id)/join"
            let own = try await node.call("POST", path, token: node.token(["host"]), body: ["display_name": "Ada"])
            #expect(own.json["role"] == "host")
            let other = try await node.call(
                "POST", path, token: node.token(["host"], user: "user-2"), body: ["display_name": "Eve"])
            #expect(other.json["role"] == "participant")
        }
    }

    @Test func onesOwnMeetingsAreListedInPages() async throws {
        try await ApiNode.run { node async throws in
            for _ in 0..<3 { _ = try await node.meeting() }
            let first = try await node.call("GET", "/api/v1/meetings?limit=2", token: node.token())
            #expect(first.json["meetings"]?.count == 2)
            let next = try #require(first.json["next"]?.string)
            let rest = try await node.call("GET", "/api/v1/meetings?limit=2&after=\(next)", token: node.token())
            #expect(rest.json["meetings"]?.count == 1)
            #expect(rest.json["next"] == nil)
            let others = try await node.call("GET", "/api/v1/meetings", token: node.token(user: "user-2"))
            #expect(others.json["meetings"]?.count == 0)
            let admin = try await node.call("GET", "/api/v1/meetings", token: node.token(["admin"], user: "root"))
            #expect(admin.json["meetings"]?.count == 3)
            for query in ["limit=0", "limit=201", "limit=many", "after=%20", "after="] {
                let refused = try await node.call("GET", "/api/v1/meetings?\(query)", token: node.token())
                #expect(refused.status == 422 && refused.code == "invalid_field", "\(query)")
            }
        }
    }

    @Test func aMeetingIsChangedAndCancelled() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "old"])
            let id = try #require(meeting["meeting_id"]?.string)
            let token = try await node.token()
            let changed = try await node.call(
                "PATCH", "/api/v1/meetings/\(id)", token: token,
                body: ["topic": "New", "password": "", "settings": ["mute_on_entry": true]])
            #expect(changed.status == 200)
            #expect(changed.json["topic"] == "New")
            #expect(changed.json["has_password"] == false)
            #expect(changed.json["settings"]?["mute_on_entry"] == true)
            #expect(changed.json["settings"]?["max_participants"] == 100)
            #expect(try await node.call("DELETE", "/api/v1/meetings/\(id)", token: token).status == 204)
            #expect(try await node.call("GET", "/api/v1/meetings/\(id)", token: token).code == "meeting_not_found")
        }
    }

    @Test func theDevelopmentTokenMakesMeetingsInDevelopmentOnly() async throws {
        try await ApiNode.run { node async throws in
            #expect(try await node.call("GET", "/api/v1/dev/token").status == 404)
        }
        var configuration = ApiNode.configuration
        configuration.isDevelopment = true
        try await ApiNode.run(configuration) { node async throws in
            let token = try #require(try await node.call("GET", "/api/v1/dev/token").json["token"]?.string)
            #expect(try await node.call("POST", "/api/v1/meetings", token: token, body: [:]).status == 201)
        }
    }

    @Test func leavingNeedsOnesOwnToken() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            let body: Value = ["participant_id": .string(ada.id)]
            let path = "/api/v1/meetings/\(id)/leave"
            #expect(try await node.call("POST", path, body: body).status == 401)
            #expect(try await node.call("POST", path, token: bob.token, body: body).code == "forbidden")
            #expect(try await node.call("POST", path, token: ada.token, body: body).status == 204)
            #expect(
                try await bob.socket.next() == [
                    "type": "participant_left", "participant_id": .string(ada.id), "reason": "left",
                ])
            #expect(await ada.socket.closeCode() == 1_000)
            let again = try await node.call("POST", path, token: ada.token, body: body)
            #expect(again.code == "participant_not_found")
        }
    }

    @Test func theHostLocksAndEndsByTheSocket() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["settings": ["join_before_host": false]])
            let id = try #require(meeting["meeting_id"]?.string)
            let hostKey = try #require(meeting["host_key"])
            let early = try await node.call("POST", "/api/v1/meetings/\(id)/join", body: ["display_name": "Early"])
            #expect(early.code == "host_not_here")
            let host = try await SignalingClient.connect(port: node.port)
            let joined = try await host.ask([
                "type": "join", "id": 1, "meeting": .string(id), "display_name": "Host", "host_key": hostKey,
            ])
            #expect(joined["you"]?["role"] == "host")
            let ada = try await node.enter(meeting, "Ada")
            _ = try await host.next()
            for type in ["lock", "unlock", "end"] {
                #expect(try await ada.socket.ask(["type": .string(type), "id": 2])["code"] == "forbidden")
            }
            for (type, isLocked) in [("lock", true), ("unlock", false)] {
                #expect(try await host.ask(["type": .string(type), "id": 2]) == ["type": "ok", "id": 2])
                #expect(try await ada.socket.next()["meeting"]?["locked"] == .bool(isLocked))
            }
            #expect(try await host.ask(["type": "end", "id": 3]) == ["type": "ok", "id": 3])
            #expect(try await host.next() == ["type": "meeting_ended", "reason": "ended"])
            #expect(try await ada.socket.next() == ["type": "meeting_ended", "reason": "ended"])
            #expect(await host.closeCode() == 1_000)
        }
    }

    @Test func theHostLocksAndEndsTheMeeting() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            let hostKey = try #require(meeting["host_key"])
            let host = try await node.enter(meeting, "Host", ["host_key": hostKey])
            let ada = try await node.enter(meeting, "Ada")
            #expect(try await node.call("POST", "/api/v1/meetings/\(id)/lock", token: ada.token).status == 403)
            #expect(try await node.call("POST", "/api/v1/meetings/\(id)/lock", token: host.token).status == 204)
            let update = try await ada.socket.next()
            #expect(update["type"] == "meeting_update")
            #expect(update["meeting"]?["locked"] == true)
            let late = try await node.call("POST", "/api/v1/meetings/\(id)/join", body: ["display_name": "Late"])
            #expect(late.status == 423)
            #expect(late.code == "meeting_locked")
            #expect(try await node.call("POST", "/api/v1/meetings/\(id)/end", token: host.token).status == 204)
            #expect(try await ada.socket.next() == ["type": "meeting_ended", "reason": "ended"])
            #expect(await ada.socket.closeCode() == 1_000)
            #expect(node.media.calls.contains { if case .disconnect = $0 { true } else { false } })
        }
    }
}
