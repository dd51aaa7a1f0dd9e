import Testing

@testable import Api

@Suite(.timeLimit(.minutes(3))) struct ReactionCalls {
    @Test func allSeeItAndTooManyAreRefused() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            for _ in 0..<5 { try await ada.socket.say(["type": "reaction", "text": "\u{1f44d}"]) }
            let told: Value = ["type": "reaction", "participant_id": .string(ada.id), "text": "\u{1f44d}"]
            for person in [ada, bob] {
                for _ in 0..<5 { #expect(try await person.socket.next("reaction") == told) }
            }
            let refused = try await ada.socket.ask(["type": "reaction", "id": 7, "text": "\u{1f44d}"])
            #expect(refused["code"] == "too_many_requests")
            await node.clock.advance(by: .seconds(1))
            let done = try await ada.socket.ask(["type": "reaction", "id": 8, "text": "\u{1f389}"])
            #expect(done["type"] == "ok")
            #expect(try await bob.socket.next("reaction")["text"] == "\u{1f389}")
            let wrong = try await bob.socket.ask(["type": "reaction", "id": 9, "text": "<b>"])
            #expect(wrong["code"] == "invalid_field")
            // Who comes later hears of none.
            let cyd = try await node.enter(meeting, "Cyd")
            #expect(try await cyd.socket.ask(["type": "ping", "id": 1])["type"] == "pong")
        }
    }

    @Test func aWholeMeetingThatClapsIsBounded() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            var refused = 0
            for number in 0..<14 {
                let person = try await node.enter(meeting, "Guest \(number)")
                for id in 0..<5 {
                    let answer = try await person.socket.ask([
                        "type": "reaction", "id": .number(Double(id)), "text": "\u{1f44f}",
                    ])
                    if answer["code"] == "too_many_requests" { refused += 1 }
                }
            }
            #expect(refused == 10)
        }
    }
}
