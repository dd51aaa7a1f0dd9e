import Mailbox
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct NodeLoad {
    @Test func theNodeSaysWhoItIsAndWhatItCarries() async throws {
        let counters = Counters()
        defer { counters.deallocate() }
        let idle = LocalCounters()
        idle.add(.turns)
        idle.add(.totalCycles, 1_000)
        idle.set(.sessions, 4)
        idle.publish(to: counters)
        var status = FakeStatus()
        status.workers = [WorkerReading(worker: 0, port: "wan", counters: counters)]
        status.capacity = NodeCapacity(sessions: 10, tracks: 20, sinks: 300)
        var configuration = ApiNode.configuration
        configuration.identity = NodeIdentity(
            pop: 7, region: "eu", coordinates: .init(latitude: 50.5, longitude: -8.25))
        try await ApiNode.run(configuration, status: status) { node async throws in
            _ = try await node.join(node.meeting(), "Ada")
            await node.clock.advance(by: .seconds(1))
            await node.clock.advance(by: .zero)
            let sent = LocalCounters()
            sent.add(.turns, 9)
            sent.add(.transmittedPackets, 500)
            sent.add(.transmittedBytes, 60_000)
            sent.add(.busyCycles, 1_000)
            sent.add(.runningCycles, 1_500)
            sent.add(.totalCycles, 5_000)
            sent.set(.sessions, 4)
            sent.publish(to: counters)
            await node.clock.advance(by: .seconds(2))
            await node.clock.advance(by: .zero)
            let answer = try await node.call("GET", "/api/v1/node", ops: true)
            #expect(answer.status == 200)
            let said = answer.json
            #expect(said["pop"] == ["id": 7, "region": "eu", "latitude": .number(50.5), "longitude": .number(-8.25)])
            #expect(said["version"] == "1.2.3")
            #expect(said["state"] == "serving")
            #expect(said["ready"] == true)
            #expect(said["cores"] == 1)
            #expect(said["participants"] == 1)
            #expect(said["sessions"] == ["used": 4, "limit": 10])
            #expect(said["allocations"] == 0)
            #expect(said["sinks"] == ["used": 0, "limit": 300])
            #expect(said["load"]?["packets_per_second"] == ["receive": 0, "transmit": 250])
            #expect(said["load"]?["bits_per_second"] == ["receive": 0, "transmit": 240_000])
            #expect(said["load"]?["busy_ratio"] == .number(0.25))
        }
    }

    @Test func aFullNodeRefusesAndIsNotReady() async throws {
        var status = FakeStatus()
        status.capacity.sessions = 1
        try await ApiNode.run(status: status) { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let id = try #require(meeting["meeting_id"]?.string)
            let refused = try await node.call("POST", "/api/v1/meetings/\(id)/join", body: ["display_name": "Ben"])
            #expect(refused.status == 503)
            #expect(refused.code == "full")
            #expect(refused.headers["retry-after"] == "30")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            node.media.tell(.connected(try #require(ParticipantID(ada.id))))
            while try await !node.call("GET", "/metrics", ops: true).body.contains("_medialess 0\n") {}
            #expect(try await node.call("GET", "/readyz", ops: true).status == 503)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_joins_refused_total{reason=\"full\"} 1\n"))
            #expect(page.contains("needletail_joins_refused_total{reason=\"busy\"} 0\n"))
            #expect(page.contains("needletail_ready 0\n"))
            #expect(page.contains("needletail_draining 0\n"))
            try await ada.socket.vanish()
        }
    }

    @Test func theBusyOneRefusesUntilItHasRoomAgain() throws {
        var policy = AdmissionPolicy()
        policy.busyRatio = 0.8
        policy.window = .seconds(10)
        let admission = Admission(policy, places: 100)
        for _ in 0..<4 { admission.note(busyRatio: 1) }
        #expect(!admission.isBusy, "four samples of ten say too little")
        admission.note(busyRatio: 1)
        #expect(admission.isBusy)
        let problem = #expect(throws: Problem.self) { try admission.admit(isDraining: false, participants: 0) }
        #expect(problem?.code == "busy")
        #expect(problem?.retryAfter == 10)
        #expect(admission.refusals(.busy) == 1)
        #expect(!admission.condition(participants: 0).isMet)
        // Below the limit, but not by a tenth.
        for _ in 0..<10 { admission.note(busyRatio: 0.75) }
        #expect(admission.isBusy)
        for _ in 0..<10 { admission.note(busyRatio: 0.7) }
        #expect(!admission.isBusy)
        try admission.admit(isDraining: false, participants: 93)
        // Six are for hosts.
        #expect(throws: Problem.self) { try admission.admit(isDraining: false, participants: 94) }
        #expect(admission.refusals(.full) == 1)
    }

    @Test func onePeakInTwentyIsNoReason() {
        var policy = AdmissionPolicy()
        policy.window = .seconds(20)
        let admission = Admission(policy)
        for _ in 0..<19 { admission.note(busyRatio: 0.2) }
        admission.note(busyRatio: 1)
        #expect(!admission.isBusy)
        admission.note(busyRatio: 1)
        #expect(admission.isBusy)
    }

    @Test(arguments: [([], 0.0), ([0.5], 0.5), ([0.9, 0.1], 0.9)])
    func thePercentileIsByNearestRank(samples: [Double], expected: Double) {
        #expect(Admission.percentile(samples) == expected)
        #expect(Admission.percentile((1...100).map(Double.init)) == 95)
    }

    @Test func aDrainIsCountedAsAReason() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            _ = try await node.call("POST", "/api/v1/meetings/\(id)/join", body: ["display_name": "Ben"])
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_joins_refused_total{reason=\"draining\"} 1\n"))
            #expect(page.contains("needletail_draining 1\n"))
        }
    }
}
