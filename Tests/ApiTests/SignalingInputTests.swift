import Conference
import Meetings
import NIOCore
import NIOWebSocket
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct SignalingOfStrangers {
    @Test(arguments: ["", "{", "7", "[]", "{}", #"{"type": 7}"#, #"{"type": "ping", "id": {}}"#, "\"ping\""])
    func whatIsNoMessageIsAnErrorAndKeepsTheSocket(_ text: String) async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            try await ada.socket.say(text: text)
            let error = try await ada.socket.next()
            #expect(error["type"] == "error")
            #expect(error["code"] == "malformed")
            #expect(try await ada.socket.ask(["type": "ping", "id": 3])["type"] == "pong")
        }
    }

    @Test func anUnknownTypeIsAnErrorWithItsIdAndKeepsTheSocket() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let error = try await ada.socket.ask(["type": "dance", "id": "x-1"])
            #expect(error["type"] == "error")
            #expect(error["code"] == "unknown_type")
            #expect(try await ada.socket.ask(["type": "ping", "id": 3])["type"] == "pong")
        }
    }

    @Test(arguments: ["offer", "ice_restart", "media_state", "view", "ice_candidate", "leave"])
    func nothingWorksBeforeJoin(_ type: String) async throws {
        try await ApiNode.run { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            let error = try await socket.ask(["type": .string(type), "id": 1, "sdp": "v=0"])
            #expect(error["code"] == "not_joined")
        }
    }

    @Test func aJoinNeedsASessionToken() async throws {
        try await ApiNode.run { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            #expect(try await socket.ask(["type": "join", "id": 1])["code"] == "malformed")
            let bad = try await socket.ask(["type": "join", "id": 2, "session_token": "nonsense"])
            #expect(bad["code"] == "token_invalid")
            let service = try await socket.ask(["type": "join", "id": 3, "session_token": .string(node.token())])
            #expect(service["code"] == "token_invalid")
            let ada = try await node.enter(node.meeting(), "Ada")
            let again = try await ada.socket.ask(["type": "join", "id": 4, "session_token": .string(ada.token)])
            #expect(again["code"] == "already_joined")
        }
    }

    @Test func candidatesAreTakenAndNotNeeded() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            #expect(try await ada.socket.ask(["type": "ice_candidate", "id": 1, "candidate": nil])["type"] == "ok")
            #expect(try await ada.socket.ask(["type": "ice_candidate", "id": 2, "candidate": "a"])["type"] == "ok")
        }
    }

    @Test func aSocketThatNobodyJoinsIsClosed() async throws {
        var configuration = ApiNode.configuration
        // Of the event loop's clock: long enough to connect on a busy machine.
        configuration.signalingJoinTime = .seconds(2)
        try await ApiNode.run(configuration) { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            #expect(await socket.closeCode() == 1_008)
        }
    }

    @Test func aMessageInFragmentsIsOne() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            try await ada.socket.send(.text, ByteBuffer(string: #"{"type": "#), fin: false)
            try await ada.socket.send(.ping, ByteBuffer(string: "between"))
            try await ada.socket.send(.continuation, ByteBuffer(string: #""ping","#), fin: false)
            try await ada.socket.send(.continuation, ByteBuffer(string: #""id": 4}"#))
            #expect(try await ada.socket.next() == ["type": "pong", "id": 4])
        }
    }

    @Test func aMessageAbove256KiBClosesTheSocket() async throws {
        try await ApiNode.run { node async throws in
            let whole = try await node.enter(node.meeting(), "Ada")
            try await whole.socket.send(.text, ByteBuffer(repeating: 0x20, count: 256 * 1_024 + 1))
            #expect(await whole.socket.closeCode() == 1_009)
            let parts = try await node.enter(node.meeting(), "Ada")
            try await parts.socket.send(.text, ByteBuffer(repeating: 0x20, count: 200 * 1_024), fin: false)
            try await parts.socket.send(.continuation, ByteBuffer(repeating: 0x20, count: 100 * 1_024))
            #expect(await parts.socket.closeCode() == 1_009)
        }
    }

    @Test func aMessageOf256KiBIsHeard() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let message = #"{"type": "ping", "id": 8}"#
            let padding = String(repeating: " ", count: 256 * 1_024 - message.utf8.count)
            try await ada.socket.say(text: message + padding)
            #expect(try await ada.socket.next() == ["type": "pong", "id": 8])
        }
    }

    @Test func brokenFramesCloseTheSocketWithTheirCode() async throws {
        try await ApiNode.run { node async throws in
            func code(_ body: (SignalingClient) async throws -> Void) async throws -> UInt16? {
                let socket = try await SignalingClient.connect(port: node.port)
                try await body(socket)
                return await socket.closeCode()
            }
            let text = ByteBuffer(string: "{}")
            #expect(try await code { try await $0.send(.binary, text) } == 1_003)
            #expect(try await code { try await $0.send(.text, ByteBuffer(bytes: [0xff, 0xfe])) } == 1_007)
            #expect(try await code { try await $0.send(.text, text, isMasked: false) } == 1_002)
            #expect(try await code { try await $0.send(.continuation, text) } == 1_002)
        }
    }

    @Test func theCloseOfTheClientIsAnswered() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            try await ada.socket.send(.connectionClose, ByteBuffer(bytes: [0x03, 0xe8]))
            #expect(await ada.socket.closeCode() == 1_000)
        }
    }

    /// RFC 6455 section 7.4: some codes are never sent, and some numbers are none.
    @Test func aCloseIsAnsweredByItsCodeOrByWhatIsWrongWithIt() async throws {
        try await ApiNode.run { node async throws in
            func answer(_ payload: [UInt8]) async throws -> UInt16? {
                let socket = try await SignalingClient.connect(port: node.port)
                try await socket.send(.connectionClose, ByteBuffer(bytes: payload))
                return await socket.closeCode()
            }
            func answer(code: UInt16) async throws -> UInt16? {
                try await answer([UInt8(code >> 8), UInt8(code & 0xff)])
            }
            for code: UInt16 in [1_000, 1_001, 1_003, 1_007, 1_011, 1_014, 3_000, 4_999] {
                #expect(try await answer(code: code) == code)
            }
            for code: UInt16 in [0, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 2_000, 2_999, 5_000, 65_535] {
                #expect(try await answer(code: code) == 1_002)
            }
            #expect(try await answer([]) == 1_000)
            #expect(try await answer([0x03]) == 1_002)
            #expect(try await answer([0x03, 0xe8] + Array("bye".utf8)) == 1_000)
            #expect(try await answer([0x03, 0xe8, 0xff]) == 1_007)
        }
    }

    @Test(arguments: [WebSocketOpcode.ping, .pong]) func aFloodOfControlFramesEndsTheSocket(
        _ opcode: WebSocketOpcode
    ) async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            // Browsers' pongs and other clients' pings are well below.
            for _ in 0..<SignalingFrames.controlBurst { try await ada.socket.send(opcode, ByteBuffer(string: "x")) }
            #expect(try await ada.socket.ask(["type": "ping", "id": 3])["type"] == "pong")
            // The bucket fills by two a second meanwhile.
            for _ in 0..<SignalingFrames.controlBurst { try? await ada.socket.send(opcode, ByteBuffer(string: "x")) }
            #expect(await ada.socket.closeCode() == 1_008)
        }
    }

    @Test func aFloodOfRefusedMessagesEndsTheSocket() async throws {
        try await ApiNode.run { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            for _ in 0..<100 { try await socket.say(["type": "dance"]) }
            for _ in 0..<100 { #expect(try await socket.next()["code"] == "unknown_type") }
            for _ in 0..<100 { try await socket.say(["type": "ping"]) }
            for _ in 0..<100 { #expect(try await socket.next()["code"] == "too_many_requests") }
            try await socket.say(["type": "ping"])
            #expect(await socket.closeCode() == 1_008)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains(#"needletail_api_ended_total{reason="flood"} 1"#))
        }
    }

    @Test func aTalkerIsHeldBack() async throws {
        try await ApiNode.run { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            for _ in 0..<101 { try await socket.say(["type": "ping"]) }
            for _ in 0..<100 { #expect(try await socket.next()["type"] == "pong") }
            #expect(try await socket.next()["code"] == "too_many_requests")
        }
    }

    @Test func aReaderThatDoesNotReadIsDropped() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let place = try await node.join(meeting, "Deaf")
            let deaf = try await SignalingClient.connect(port: node.port, reads: false)
            let token = try #require(place["session_token"])
            try await deaf.say(["type": "join", "session_token": token])
            #expect(try await ada.socket.next()["type"] == "participant_joined")
            let id = try #require(place["participant_id"]?.string.flatMap { ParticipantID($0) })
            // About 60 KiB each; the kernel's buffers take a few MiB before the server's queue grows.
            let slots = (0..<1_000).map { SlotAssignment(mid: "\($0)", participant: id, source: .video) }
            for _ in 0..<400 { node.media.tell(.slots(id, slots)) }
            #expect(try await ada.socket.next()["connection"] == "interrupted")
            try await deaf.vanish()
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains(#"needletail_api_ended_total{reason="slow_reader"} 1"#))
        }
    }

    @Test func theSocketIsOnItsPathOnly() async throws {
        try await ApiNode.run { node async throws in
            await #expect(throws: SignalingClient.Closed.self) {
                try await SignalingClient.connect(port: node.port, path: "/elsewhere")
            }
            let plain = try await node.call("GET", "/api/v1/signal")
            #expect(plain.status == 426)
            #expect(plain.code == "upgrade_required")
        }
    }
}
