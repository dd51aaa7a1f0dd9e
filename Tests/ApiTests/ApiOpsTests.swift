import Mailbox
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct OperationsListener {
    @Test func readinessNamesWhatIsMissing() async throws {
        var status = FakeStatus()
        status.conditions = [
            ReadinessCondition(name: "port", isMet: true),
            ReadinessCondition(name: "gateway", isMet: false, detail: "no answer"),
        ]
        try await ApiNode.run(status: status) { node async throws in
            #expect(try await node.call("GET", "/livez", ops: true).status == 200)
            let ready = try await node.call("GET", "/readyz", ops: true)
            #expect(ready.status == 503)
            #expect(ready.json["ready"] == false)
            let since = node.clock.now.rfc3339
            #expect(
                ready.json["conditions"]?[1]
                    == ["name": "gateway", "met": false, "detail": "no answer", "since": .string(since)])
            await node.clock.advance(by: .seconds(5))
            let later = try await node.call("GET", "/readyz", ops: true)
            #expect(later.json["conditions"]?[1]?["since"] == .string(since))
            node.drain.begin(for: .seconds(60), at: node.clock.now)
            let drained = try await node.call("GET", "/readyz", ops: true)
            #expect(drained.json["conditions"]?[4]?["name"] == "accepting")
            #expect(drained.json["conditions"]?[4]?["since"] == .string(node.clock.now.rfc3339))
        }
        try await ApiNode.run { node async throws in
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
        }
    }

    @Test func aWorkerThatStandsStillIsNoticedWithinTwoSeconds() async throws {
        let counters = Counters()
        defer { counters.deallocate() }
        let local = LocalCounters()
        local.add(.turns)
        local.publish(to: counters)
        var status = FakeStatus()
        status.workers = [WorkerReading(worker: 0, port: "wan", counters: counters)]
        try await ApiNode.run(status: status) { node async throws in
            #expect(try await node.call("GET", "/livez", ops: true).status == 200)
            await node.clock.advance(by: .seconds(2))
            #expect(try await node.call("GET", "/livez", ops: true).status == 200)
            await node.clock.advance(by: .milliseconds(1))
            let silent = try await node.call("GET", "/livez", ops: true)
            #expect(silent.status == 503)
            #expect(silent.json == ["live": false, "silent_workers": [0]])
            let ready = try await node.call("GET", "/readyz", ops: true)
            #expect(ready.json["conditions"]?[1]?["detail"] == "worker 0 does not poll")
        }
    }

    @Test func aWorkerThatHasNotBegunIsNotReadyAndNotDead() {
        let counters = Counters()
        defer { counters.deallocate() }
        let readings = [WorkerReading(worker: 3, port: "wan", counters: counters)]
        let pulse = WorkerPulse()
        let start = Timestamp(milliseconds: 0)
        #expect(pulse.look(at: readings, now: start) == WorkerPulse.Look(starting: [3]))
        #expect(pulse.look(at: readings, now: start + .seconds(2)).silent == [])
        #expect(pulse.look(at: readings, now: start + .seconds(3)).silent == [3])
        let local = LocalCounters()
        local.add(.turns)
        local.publish(to: counters)
        #expect(pulse.look(at: readings, now: start + .seconds(4)).allPoll)
    }

    @Test func aPauseOfTheWholeProcessIsNoWorkersFault() {
        let counters = Counters()
        defer { counters.deallocate() }
        let local = LocalCounters()
        local.add(.turns)
        local.publish(to: counters)
        let readings = [WorkerReading(worker: 0, port: "wan", counters: counters)]
        let pulse = WorkerPulse()
        let start = Timestamp(milliseconds: 0)
        pulse.look(at: readings, now: start)
        // Nobody looked for a minute: what stood still was everything.
        #expect(pulse.look(at: readings, now: start + .seconds(60)).silent == [])
        #expect(pulse.look(at: readings, now: start + .seconds(61)).silent == [])
        #expect(pulse.look(at: readings, now: start + .seconds(63)).silent == [0])
    }

    @Test func aWorkerWhoseCoreIsTakenAwayIsNotBusy() {
        let counters = Counters()
        defer { counters.deallocate() }
        let local = LocalCounters()
        local.add(.busyCycles, 9_000)
        local.add(.runningCycles, 500)
        local.add(.totalCycles, 10_000)
        local.publish(to: counters)
        let load = WorkerLoad()
        load.look(at: [WorkerReading(worker: 0, port: "wan", counters: counters)])
        #expect(load.figures(of: 0).busyRatio == 0.05)
    }

    @Test func theOperationsAreNotOnTheApiListener() async throws {
        try await ApiNode.run { node async throws in
            #expect(try await node.call("GET", "/metrics").status == 404)
            #expect(try await node.call("GET", "/api/v1/dev/token", ops: true).status == 404)
        }
    }

    @Test func metricsShowWorkersAndMeetings() async throws {
        let counters = Counters()
        defer { counters.deallocate() }
        let local = LocalCounters()
        local.add(.turns)
        local.add(.receivedPackets, 40)
        local.add(.transmittedBytes, 9_000)
        local.add(.busyCycles, 2_000)
        local.add(.runningCycles, 7_000)
        local.add(.totalCycles, 8_000)
        local.set(.sessions, 3)
        local.drop(.srtpReplay, 2)
        local.publish(to: counters)
        var status = FakeStatus()
        status.workers = [WorkerReading(worker: 0, port: "wan", counters: counters)]
        status.ports = [PortReading(port: "wan", missed: 5, receiveErrors: 6, noBuffer: 7, transmitErrors: 8)]
        try await ApiNode.run(status: status) { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            // The second look proves that the first is over.
            await node.clock.advance(by: .seconds(1))
            await node.clock.advance(by: .zero)
            let page = try await node.call("GET", "/metrics", ops: true)
            #expect(page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = Set(page.body.split(separator: "\n").map(String.init))
            for line in [
                "# TYPE needletail_packets_total counter",
                #"needletail_packets_total{port="wan",direction="receive"} 40"#,
                #"needletail_bytes_total{port="wan",direction="transmit"} 9000"#,
                #"needletail_drops_total{stage="srtp",reason="srtp_replay"} 2"#,
                #"needletail_worker_busy_ratio{worker="0"} 0.25"#,
                #"needletail_worker_cycles_per_packet{worker="0"} 50"#,
                "needletail_sessions 3", #"needletail_srtp_errors_total{reason="replay"} 2"#,
                #"needletail_join_seconds_bucket{le="0.05"} 0"#, "needletail_meetings 1", "needletail_participants 1",
                "needletail_ready 1",
                #"needletail_port_lost_packets_total{port="wan",reason="missed"} 5"#,
                #"needletail_port_lost_packets_total{port="wan",reason="receive_error"} 6"#,
                #"needletail_port_lost_packets_total{port="wan",reason="no_buffer"} 7"#,
                #"needletail_port_lost_packets_total{port="wan",reason="transmit_error"} 8"#,
                "# TYPE needletail_join_seconds histogram", #"needletail_join_seconds_bucket{le="+Inf"} 0"#,
                #"needletail_build_info{version="1.2.3",revision="abc"} 1"#,
            ] { #expect(lines.contains(line), "missing: \(line)") }
            try await ada.socket.vanish()
        }
    }

    @Test func metricsShowHowPacketsFareInsideTheWorkers() {
        let shared = [Counters(), Counters()]
        defer { for counters in shared { counters.deallocate() } }
        for (worker, counters) in shared.enumerated() {
            let local = LocalCounters()
            local.noteForward(nanoseconds: 1_500, packets: 40)
            local.noteForward(nanoseconds: 20_000_000, packets: 1)
            local.noteBurst(3 + worker)
            local.noteBurst(32)
            local.set(.commandsWaiting, UInt64(worker))
            local.set(.transmitWaiting, 9)
            local.set(.buffersAvailable, 1_000)
            local.publish(to: counters)
        }
        let text = MetricsPage.render(
            workers: shared.enumerated().map { WorkerReading(worker: $0, port: "wan", counters: $1) },
            load: WorkerLoad(),
            hub: HubReading(meetings: 0, participants: 0, attached: 0, joinSeconds: Histogram(bounds: [1])),
            node: NodeMetrics(isReady: true),
            build: BuildInfo(version: "", revision: ""))
        let lines = text.split(separator: "\n").map(String.init)
        for line in [
            "# TYPE needletail_forward_seconds histogram",
            #"needletail_forward_seconds_bucket{le="1e-06"} 0"#, #"needletail_forward_seconds_bucket{le="2e-06"} 80"#,
            #"needletail_forward_seconds_bucket{le="5e-06"} 80"#, #"needletail_forward_seconds_bucket{le="0.01"} 80"#,
            #"needletail_forward_seconds_bucket{le="+Inf"} 82"#, "needletail_forward_seconds_count 82",
            "# TYPE needletail_worker_burst_packets histogram",
            #"needletail_worker_burst_packets_bucket{worker="0",le="2"} 0"#,
            #"needletail_worker_burst_packets_bucket{worker="1",le="4"} 1"#,
            #"needletail_worker_burst_packets_bucket{worker="1",le="32"} 2"#,
            #"needletail_worker_burst_packets_sum{worker="1"} 36"#,
            #"needletail_ring_depth{worker="1",ring="commands"} 1"#,
            #"needletail_ring_depth{worker="0",ring="transmit"} 9"#,
            #"needletail_buffers_available{worker="0"} 1000"#,
        ] { #expect(lines.contains(line), "missing: \(line)") }
        let sum = lines.first { $0.hasPrefix("needletail_forward_seconds_sum") }.flatMap { Double($0.dropFirst(31)) }
        #expect(sum.map { abs($0 - 0.040_12) < 1e-9 } == true)
    }

    @Test func theTimeFromJoinToMediaIsCountedOnce() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            await node.clock.advance(by: .milliseconds(400))
            let id = try #require(ParticipantID(ada.id))
            node.media.tell(.connected(id))
            node.media.tell(.connected(id))
            // Updates are taken in order, so behind this one both are counted.
            node.media.tell(.failed(id, reason: .consent))
            #expect(try await ada.socket.next()["code"] == "media_failed")
            let page = try await node.call("GET", "/metrics", ops: true)
            #expect(page.body.contains("needletail_join_seconds_bucket{le=\"0.3\"} 0\n"))
            #expect(page.body.contains("needletail_join_seconds_bucket{le=\"0.5\"} 1\n"))
            #expect(page.body.contains("needletail_join_seconds_count 1\n"))
        }
    }

    @Test(arguments: [
        ("noBuffer", "no_buffer"), ("stunBadIntegrity", "stun_bad_integrity"), ("dtlsBeforeICE", "dtls_before_ice"),
        ("gone", "gone"),
    ])
    func labelsAreWordsInLowerCase(_ name: String, _ label: String) {
        #expect(MetricsPage.snakeCase(name) == label)
    }

    @Test func everyMetricHasHelpAndTypeBeforeItsSamples() {
        let text = MetricsPage.render(
            workers: [], load: WorkerLoad(),
            hub: HubReading(meetings: 0, participants: 0, attached: 0, joinSeconds: Histogram(bounds: [1])),
            node: NodeMetrics(certificateExpiries: [("api", 1)]),
            build: BuildInfo(version: "quote\" slash\\ line\n", revision: ""))
        #expect(text.contains(#"version="quote\" slash\\ line\n""#))
        var declared: String?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP") {
                declared = String(words[2])
            } else if line.hasPrefix("# TYPE") {
                #expect(declared == String(words[2]))
            } else {
                #expect(declared.map { line.hasPrefix($0) } == true, "undeclared: \(line)")
            }
        }
    }
}
