import Mailbox
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct Draining {
    @Test func newcomersAreRefusedAndThoseInsideGoOn() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let begun = try await node.call(
                "POST", "/api/v1/node/drain", body: ["deadline_s": 60], ops: true)
            #expect(begun.status == 202)
            #expect(begun.json["state"] == "draining")
            #expect(begun.json["drain_deadline_s"] == 60)
            #expect(try await node.call("GET", "/readyz", ops: true).status == 503)
            #expect(
                try await ada.socket.next() == ["type": "migrate", "reason": "drain", "deadline_s": 60])
            let id = try #require(meeting["meeting_id"]?.string)
            let refused = try await node.call(
                "POST", "/api/v1/meetings/\(id)/join", body: ["display_name": "Ben"])
            #expect(refused.status == 503)
            #expect(refused.code == "draining")
            #expect(refused.headers["retry-after"] == "5")
            let created = try await node.call("POST", "/api/v1/meetings", token: node.token(), body: ["topic": "No"])
            #expect(created.code == "draining")
            let answer = try await ada.socket.ask(["type": "offer", "id": 7, "sdp": "mine"])
            #expect(answer["type"] == "answer")
            try await ada.socket.vanish()
        }
    }

    @Test func ofChangesThatNobodyReadsTheLatestAreKept() async {
        let drain = Drain()
        let now = Timestamp(milliseconds: 0)
        for seconds in 1...100 { drain.begin(for: .seconds(seconds), at: now) }
        #expect(drain.cancel())
        drain.begin(for: .seconds(200), at: now)
        var deadlines: [Int?] = []
        for await change in drain.changes {
            deadlines.append(change.secondsLeft(at: now))
            if change == drain.state { break }
        }
        #expect(deadlines == (87...100).map { $0 } + [nil, 200])
    }

    @Test(arguments: [Duration.seconds(-86_400), .seconds(86_400)])
    func aClockThatIsSetEndsNothing(step: Duration) async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            #expect(try await ada.socket.next()["type"] == "migrate")
            node.clock.setUTC(by: step)
            for _ in 0..<2 { await node.clock.advance(by: .seconds(1)) }
            let state = try await node.call("GET", "/api/v1/node", ops: true).json
            #expect(state["state"] == "draining" && state["drain_deadline_s"] == 58)
            #expect(state["drain_deadline"] == .string((node.clock.utc + .seconds(58)).rfc3339))
            #expect(try await ada.socket.ask(["type": "offer", "id": 7, "sdp": "mine"])["type"] == "answer")
            #expect(node.drain.cancel())
            // Who signs tokens has the clock that was set.
            #expect(try await node.call("POST", "/api/v1/meetings", token: node.token(), body: [:]).status == 201)
            try await ada.socket.vanish()
        }
    }

    @Test func whoComesBackToItsPlaceIsLetInAndTold() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            #expect(try await ada.socket.next()["type"] == "migrate")
            try await ada.socket.vanish()
            let again = try await SignalingClient.connect(port: node.port)
            let joined = try await again.ask([
                "type": "join", "id": 1, "session_token": .string(ada.token), "resume": .string(ada.resume),
            ])
            #expect(joined["resumed"] == true)
            #expect(try await again.next()["type"] == "migrate")
            try await again.vanish()
        }
    }

    @Test func itEndsWhenTheLastOneLeavesAndIsTakenBack() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            #expect(try await ada.socket.ask(["type": "leave", "id": 2])["type"] == "ok")
            await node.clock.advance(by: .seconds(1))
            // The second tick proves that the first is over.
            await node.clock.advance(by: .seconds(1))
            #expect(try await node.call("GET", "/api/v1/node", ops: true).json["state"] == "drained")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 503)
            #expect(try await node.call("DELETE", "/api/v1/node/drain", ops: true).status == 204)
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            _ = try await node.join(meeting, "Ben")
        }
    }

    @Test func takenBackThoseInsideAreToldToStay() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            #expect(try await ada.socket.next()["reason"] == "drain")
            #expect(node.drain.cancel())
            #expect(try await ada.socket.next() == ["type": "migrate", "reason": "cancelled"])
            try await ada.socket.vanish()
        }
    }

    @Test func atTheDeadlineThoseInsideAreLetGo() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            node.drain.begin(for: .seconds(3), at: node.clock.now)
            #expect(try await ada.socket.next()["deadline_s"] == 3)
            await node.clock.advance(by: .seconds(3))
            #expect(try await ada.socket.next() == ["type": "meeting_ended", "reason": "shutdown"])
            await node.clock.advance(by: .seconds(1))
            #expect(node.drain.state.phase == .drained)
        }
    }

    @Test func anEmptyNodeThatIsToldToStopDoesNotWait() async throws {
        try await ApiNode.run { node async throws in
            node.drain.begin(for: .seconds(3_600), stops: true, at: node.clock.now)
            await node.drain.stopped()
            #expect(node.drain.state.phase == .drained)
            let refused = try await node.call("DELETE", "/api/v1/node/drain", ops: true)
            #expect(refused.status == 409)
            #expect(refused.code == "stopping")
        }
    }

    @Test func aCallThatIsOnlyRelayedIsWaitedForAndAnIdleAllocationIsNot() async throws {
        let counters = Counters()
        defer { counters.deallocate() }
        /// The worker has one allocation, and relayed so many packets.
        @Sendable func publish(packets: UInt64) {
            let local = LocalCounters()
            local.add(.turns, packets)
            local.set(.allocations, 1)
            local.add(.relayedPacketsToPeer, packets)
            local.publish(to: counters)
        }
        publish(packets: 1)
        var status = FakeStatus()
        status.workers = [WorkerReading(worker: 0, port: "wan", counters: counters)]
        try await ApiNode.run(status: status) { node async throws in
            // The second tick of a pair proves that the first is over.
            func pass(_ duration: Duration) async {
                await node.clock.advance(by: duration)
                await node.clock.advance(by: .seconds(1))
            }
            await pass(.seconds(1))
            node.drain.begin(for: .seconds(600), stops: true, at: node.clock.now)
            for packets in 2...5 as ClosedRange<UInt64> {
                publish(packets: packets)
                await pass(.seconds(10))
                #expect(node.drain.state.phase == .draining)
            }
            #expect(try await node.call("GET", "/api/v1/node", ops: true).json["allocations"] == 1)
            await pass(RelayPulse.patience)
            #expect(node.drain.state.phase == .drained)
        }
    }

    @Test func aNamedPopIsToldToThoseInside() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let target: Value = [
                "signaling_url": "wss://b.example/api/v1/signal", "media_server": "192.0.2.9:3478",
            ]
            let begun = try await node.call(
                "POST", "/api/v1/node/drain", body: ["deadline_s": 30, "target": target], ops: true)
            #expect(begun.json["drain_target"] == target)
            let told = try await ada.socket.next()
            #expect(told["signaling_url"] == "wss://b.example/api/v1/signal")
            #expect(told["media_server"] == "192.0.2.9:3478")
            #expect(told["deadline_s"] == 30)
            try await ada.socket.vanish()
        }
    }

    @Test(arguments: [
        (#"{"deadline_s":-1}"#, 422), (#"{"deadline_s":86401}"#, 422), (#"{"deadline_s":"soon"}"#, 400),
        (#"{"target":{"signaling_url":"wss://b"}}"#, 400), ("[]", 400),
        (#"{"target":{"signaling_url":"http://b","media_server":"b:1"}}"#, 422),
        (#"{"target":{"signaling_url":"javascript:alert(1)//","media_server":"b:1"}}"#, 422),
        (#"{"target":{"signaling_url":"wss://b","media_server":"b"}}"#, 422),
    ])
    func whatIsNoDrainChangesNothing(body: String, status: Int) async throws {
        try await ApiNode.run { node async throws in
            #expect(try await node.call("POST", "/api/v1/node/drain", text: body, ops: true).status == status)
            #expect(node.drain.state == Drain.State())
        }
    }

    @Test func onlyAdminsDrainWhereOthersReachTheListener() async throws {
        var configuration = ApiNode.configuration
        configuration.ops = .init(host: "0.0.0.0", port: 0)
        try await ApiNode.run(configuration) { node async throws in
            let path = "/api/v1/node/drain"
            #expect(try await node.call("POST", path, ops: true).status == 401)
            #expect(try await node.call("POST", path, token: node.token([Grants.create]), ops: true).status == 403)
            #expect(try await node.call("DELETE", path, ops: true).status == 401)
            #expect(node.drain.acceptsNewcomers)
            #expect(try await node.call("POST", path, token: node.token([Grants.admin]), ops: true).status == 202)
            #expect(!node.drain.acceptsNewcomers)
        }
    }

    @Test func aPageInABrowserOfTheMachineDoesNotDrain() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call(
                "POST", "/api/v1/node/drain", headers: ["Origin": "https://evil.example"], ops: true)
            #expect(answer.status == 403)
            #expect(node.drain.acceptsNewcomers)
        }
    }

    @Test func aStopIsNotPutOff() {
        let drain = Drain()
        let now = Timestamp(milliseconds: 0)
        drain.begin(for: .seconds(10), stops: true, at: now)
        #expect(drain.begin(for: .seconds(3_600), at: now).deadline == now + .seconds(10))
        #expect(drain.begin(for: .seconds(2), at: now).deadline == now + .seconds(2))
        #expect(drain.state.isStopping)
        #expect(!drain.cancel())
    }
}
