import Conference
import Meetings
import Testing
import Wire

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct HostOrderCalls {
    /// Ada is the host, Bob and Cyd are guests; nobody has anything to hear any more.
    private static func people(_ node: ApiNode, _ settings: Value = [:]) async throws -> [Visitor] {
        let meeting = try await node.meeting(["topic": "Standup", "settings": settings])
        let ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
        let bob = try await node.enter(meeting, "Bob")
        let cyd = try await node.enter(meeting, "Cyd")
        for socket in [ada.socket, ada.socket, bob.socket] { _ = try await socket.next("participant_joined") }
        return [ada, bob, cyd]
    }

    private static func code(_ person: Visitor, _ message: [String: Value]) async throws -> String? {
        try await person.socket.say(.object(message.merging(["id": 99]) { $1 }))
        return try await person.socket.next("error")["code"]?.string
    }

    @Test func oneIsMutedAndAllHearItAndTheMediaSideDropsIt() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node)
            let (ada, bob) = (people[0], people[1])
            try await bob.socket.say(["type": "media_state", "audio": true, "video": true])
            for person in [ada, people[2]] { _ = try await person.socket.next("media_state") }
            try await ada.socket.say(["type": "mute_participant", "participant_id": .string(bob.id)])
            let told: Value = [
                "type": "media_state", "participant_id": .string(bob.id), "audio": false, "video": true,
                "screen": false,
                "hand_raised": false, "muted_by_host": true, "turned_off": ["audio"],
            ]
            for person in people { #expect(try await person.socket.next("media_state") == told) }
            let id = try #require(ParticipantID(bob.id))
            #expect(node.media.calls.last == .state(id, PublishedMedia(video: true, isSilenced: true)))
            // The camera.
            try await ada.socket.say(["type": "mute_participant", "participant_id": .string(bob.id), "source": "video"])
            for person in people { #expect(try await person.socket.next("media_state")["video"] == false) }
            // It may open its microphone again.
            try await bob.socket.say(["type": "media_state", "audio": true])
            let opened = try await ada.socket.next("media_state")
            #expect(opened["audio"] == true && opened["muted_by_host"] == false)
            #expect(node.media.calls.last == .state(id, PublishedMedia(audio: true)))
            // Muted once more nobody hears anything new.
            for _ in 0..<2 {
                try await ada.socket.say(["type": "mute_participant", "id": 1, "participant_id": .string(bob.id)])
                #expect(try await ada.socket.next("ok")["id"] == 1)
            }
            #expect(node.media.calls.last == .state(id, PublishedMedia(isSilenced: true)))
        }
    }

    @Test func allAreMutedAndOneIsAskedToSpeak() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node)
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            for person in people { try await person.socket.say(["type": "media_state", "audio": true]) }
            for person in people { for _ in 0..<2 { _ = try await person.socket.next("media_state") } }
            try await ada.socket.say(["type": "allow", "unmute": false])
            for person in people {
                let settings = try await person.socket.next("meeting_update")["meeting"]?["settings"]
                #expect(settings?["allow_unmute"] == false && settings?["allow_chat"] == true)
            }
            try await ada.socket.say(["type": "mute_all"])
            for person in people {
                var muted: Set<String> = []
                for _ in 0..<2 {
                    let told = try await person.socket.next("media_state")
                    #expect(told["audio"] == false && told["muted_by_host"] == true)
                    muted.insert(told["participant_id"]?.string ?? "")
                }
                #expect(muted == [bob.id, cyd.id])
            }
            #expect(try await Self.code(bob, ["type": "media_state", "audio": true]) == "unmute_forbidden")
            try await ada.socket.say(["type": "ask_unmute", "participant_id": .string(bob.id)])
            #expect(
                try await bob.socket.next("unmute_asked") == [
                    "type": "unmute_asked", "participant_id": .string(ada.id),
                ])
            try await bob.socket.say(["type": "media_state", "audio": true])
            #expect(try await ada.socket.next("media_state")["audio"] == true)
            #expect(try await Self.code(cyd, ["type": "media_state", "audio": true]) == "unmute_forbidden")
            let calls = node.media.calls
            let id = try #require(ParticipantID(cyd.id))
            let last = calls.last { if case .state(id, _) = $0 { true } else { false } }
            #expect(last == .state(id, PublishedMedia(isSilenced: true)))
        }
    }

    @Test func whoComesInIsMutedWhereThatIsTheRuleAndIsTold() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["topic": "Standup", "settings": ["mute_on_entry": true]])
            let number = try #require(meeting["meeting_number"])
            let key = try #require(meeting["host_key"])
            for (extra, audio) in [([:], false), (["host_key": key], true)] as [([String: Value], Bool)] {
                let socket = try await SignalingClient.connect(port: node.port)
                let join: [String: Value] = [
                    "type": "join", "id": 1, "meeting": number, "display_name": "Eve", "offer": "v=0",
                    "media_state": ["audio": true, "video": true],
                ]
                let joined = try await socket.ask(.object(join.merging(extra) { $1 }))
                let id = try #require(joined["you"]?["participant_id"]?.string.flatMap { ParticipantID($0) })
                let sends = PublishedMedia(audio: audio, video: true, isSilenced: !audio)
                let connects = node.media.calls.contains {
                    if case .connect(id, _, sends, _) = $0 { true } else { false }
                }
                #expect(connects)
                if !audio {
                    let told = try await socket.next("media_state")
                    #expect(told["audio"] == false && told["muted_by_host"] == true && told["video"] == true)
                    #expect(told["turned_off"] == ["audio"])
                    try await socket.say(["type": "media_state", "id": 2, "audio": true])
                    #expect(try await socket.next("ok")["id"] == 2)
                }
            }
        }
    }

    @Test func oneIsRemovedAndItsPlaceIsGone() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node)
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            try await ada.socket.say(["type": "remove_participant", "id": 5, "participant_id": .string(bob.id)])
            #expect(try await bob.socket.next("removed") == ["type": "removed", "reason": "removed"])
            #expect(await bob.socket.closeCode() == 1_000)
            for person in [ada, cyd] {
                #expect(
                    try await person.socket.next("participant_left") == [
                        "type": "participant_left", "participant_id": .string(bob.id), "reason": "removed",
                    ])
            }
            let id = try #require(ParticipantID(bob.id))
            #expect(try await cyd.socket.ask(["type": "ping", "id": 1])["type"] == "pong")
            #expect(node.media.calls.contains(.disconnect(id)))
            let socket = try await SignalingClient.connect(port: node.port)
            let back = try await socket.ask([
                "type": "join", "id": 1, "session_token": bob.joined["session_token"] ?? nil,
                "resume": bob.joined["resume"] ?? nil,
            ])
            #expect(back["code"] == "resume_expired")
        }
    }

    @Test func rolesAreGivenAndTheCoHostTakesOver() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node)
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            try await ada.socket.say(["type": "set_role", "participant_id": .string(bob.id), "role": "co_host"])
            for person in people {
                #expect(
                    try await person.socket.next("participant_update") == [
                        "type": "participant_update", "participant_id": .string(bob.id), "role": "co_host",
                    ])
            }
            let onAda: Value = .string(ada.id)
            #expect(try await Self.code(bob, ["type": "mute_participant", "participant_id": onAda]) == "forbidden")
            #expect(
                try await Self.code(ada, ["type": "set_role", "participant_id": onAda, "role": "participant"])
                    == "last_host")
            try await bob.socket.say(["type": "lock", "id": 3])
            #expect(try await bob.socket.next("ok")["id"] == 3)
            try await ada.socket.say(["type": "leave"])
            for person in [bob, cyd] {
                #expect(try await person.socket.next("participant_update")["role"] == "host")
            }
        }
    }

    @Test func nobodyElseDecidesAnything() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node)
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            let onCyd: Value = .string(cyd.id)
            let orders: [[String: Value]] = [
                ["type": "remove_participant", "participant_id": onCyd],
                ["type": "mute_participant", "participant_id": onCyd], ["type": "mute_all"],
                ["type": "ask_unmute", "participant_id": onCyd], ["type": "allow", "chat": false],
                ["type": "set_role", "participant_id": onCyd, "role": "host"],
            ]
            for order in orders { #expect(try await Self.code(bob, order) == "forbidden") }
            for order in orders where order["participant_id"] != nil {
                for wrong in ["p_stranger", "", "not an id", String(repeating: "p", count: 1_000)] {
                    let named = order.merging(["participant_id": .string(wrong)]) { $1 }
                    #expect(try await Self.code(ada, named) == "participant_not_found")
                }
                #expect(try await Self.code(ada, order.merging(["participant_id": 7]) { $1 }) == "malformed")
            }
            for wrong: [String: Value] in [
                ["type": "set_role", "participant_id": onCyd], ["type": "allow", "screen": 1],
                ["type": "set_role", "participant_id": onCyd, "role": "king"],
                ["type": "mute_participant", "participant_id": onCyd, "source": "smell"],
            ] { #expect(try await Self.code(ada, wrong) == "malformed") }
            // Nobody heard anything of it.
            for person in people { #expect(try await person.socket.ask(["type": "ping", "id": 1])["type"] == "pong") }
        }
    }

    @Test func chatIsForbiddenButToHosts() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, ["allow_chat": false])
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            #expect(try await Self.code(bob, ["type": "chat", "text": "all"]) == "chat_forbidden")
            #expect(
                try await Self.code(bob, ["type": "chat", "text": "you", "recipient_id": .string(cyd.id)])
                    == "chat_forbidden")
            try await bob.socket.say(["type": "chat", "text": "host", "recipient_id": .string(ada.id)])
            #expect(try await ada.socket.next("chat")["message"]?["text"] == "host")
            try await ada.socket.say(["type": "chat", "text": "to all"])
            #expect(try await cyd.socket.next("chat")["message"]?["text"] == "to all")
        }
    }

    @Test func whoWasRemovedDoesNotComeInAgainButByTheHostKey() async throws {
        var configuration = ApiNode.configuration
        configuration.trustedProxies = TrustedProxies([.init(address: IPAddress(v4: 0x7f00_0000), length: 8)])
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            func enter(_ address: String, _ more: [String: Value] = [:]) async throws -> (SignalingClient, Value) {
                let socket = try await SignalingClient.connect(port: node.port, headers: ["X-Forwarded-For": address])
                let join: [String: Value] = [
                    "type": "join", "id": 1, "meeting": try #require(meeting["meeting_number"]), "display_name": "Bob",
                ]
                return (socket, try await socket.ask(.object(join.merging(more) { $1 })))
            }
            let key: [String: Value] = ["host_key": try #require(meeting["host_key"])]
            let (host, _) = try await enter("198.51.100.1", key)
            let (alone, place) = try await enter("198.51.100.2")
            let (_, office) = try await enter("198.51.100.3")
            let (_, _) = try await enter("198.51.100.3")
            for joined in [place, office] {
                let id = try #require(joined["you"]?["participant_id"])
                let order: Value = ["type": "remove_participant", "id": 7, "participant_id": id]
                #expect(try await host.ask(order)["type"] == "ok")
            }
            #expect(try await alone.next("removed")["reason"] == "removed")
            let refused = try await enter("198.51.100.2").1
            #expect(refused["code"] == "removed" && refused["status"] == 403)
            #expect(try await enter("198.51.100.2", key).1["type"] == "joined")
            for address in ["198.51.100.3", "198.51.100.4"] {
                #expect(try await enter(address).1["type"] == "joined")
            }
        }
    }
}
