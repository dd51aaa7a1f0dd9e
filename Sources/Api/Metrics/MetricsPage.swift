import Mailbox
import Meetings
import Store

/// What the control plane knows of itself.
struct HubReading: Sendable {
    var meetings: Int
    /// Who joined and have not left.
    var participants: Int
    /// Of them, those with a socket or media.
    var attached: Int
    /// Those who have a socket and never had media.
    var medialess = 0
    var joinSeconds: Histogram
    var chatMessages: UInt64 = 0
    var wrongGuesses: [ShownSecret: UInt64] = [:]
    var refusedGuesses: [ShownSecret: UInt64] = [:]
    /// Participants without a socket.
    var streams: [StreamProtocol: Int] = [:]

    /// Those who have or had media: they count for the node's places.
    var people: Int { attached - medialess }
}

/// The page that Prometheus reads (the page Metrics of the documentation).
enum MetricsPage {
    static func render(
        workers: [WorkerReading], load: WorkerLoad, hub: HubReading, node: NodeMetrics, build: BuildInfo,
        fleet: FleetReading? = nil, store: StoreReading? = nil,
        webhooks: (readings: [EndpointReading], now: Timestamp) = ([], Timestamp(milliseconds: 0)),
        turnStreams: TURNStreamGauge? = nil
    ) -> String {
        var page = PrometheusText()
        traffic(&page, workers)
        drops(&page, workers)
        workerLoad(&page, workers, load)
        forwarding(&page, workers)
        stalls(&page, workers)
        rings(&page, workers)
        tables(&page, workers)
        ways(&page, workers)
        repair(&page, workers)
        congestion(&page, workers)
        control(&page, hub)
        relay(&page, workers, streams: turnStreams)
        srtpErrors(&page, workers)
        render(&page, node)
        render(&page, fleet)
        render(&page, store)
        render(&page, webhooks.readings, at: webhooks.now)
        page.family("needletail_build_info", .gauge, "The program that runs; always 1.") {
            $0.add(1, ["version": build.version, "revision": build.revision])
        }
        return page.text
    }

    static func sum(_ workers: [WorkerReading], _ counter: Counter) -> Double {
        workers.reduce(0) { $0 + Double($1.counters[counter]) }
    }

    private static func traffic(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        let ports = Dictionary(grouping: workers, by: \.port).sorted { $0.key < $1.key }
        func family(_ name: String, _ help: String, received: Counter, transmitted: Counter) {
            page.family(name, .counter, help) { samples in
                for (port, workers) in ports {
                    samples.add(sum(workers, received), ["port": port, "direction": "receive"])
                    samples.add(sum(workers, transmitted), ["port": port, "direction": "transmit"])
                }
            }
        }
        family(
            "needletail_packets_total", "Packets received from and handed to the port.",
            received: .receivedPackets, transmitted: .transmittedPackets)
        family(
            "needletail_bytes_total", "Bytes received from and handed to the port.",
            received: .receivedBytes, transmitted: .transmittedBytes)
    }

    private static func drops(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.family("needletail_drops_total", .counter, "Packets and messages dropped, by stage and reason.") {
            samples in
            for reason in DropReason.allCases {
                let count = workers.reduce(0) { $0 + Double($1.counters[reason]) }
                samples.add(count, ["stage": reason.stage, "reason": snakeCase("\(reason)")])
            }
        }
    }

    private static func workerLoad(_ page: inout PrometheusText, _ workers: [WorkerReading], _ load: WorkerLoad) {
        let indices = Set(workers.map(\.worker)).sorted()
        page.family(
            "needletail_worker_busy_ratio", .gauge,
            "Share of a worker's cycles in turns that did work, over the last second."
        ) {
            for index in indices { $0.add(load.figures(of: index).busyRatio, ["worker": String(index)]) }
        }
        page.family(
            "needletail_worker_cycles_per_packet", .gauge,
            "Cycles per received packet in turns that did work, over the last second."
        ) {
            for index in indices { $0.add(load.figures(of: index).cyclesPerPacket, ["worker": String(index)]) }
        }
    }

    private static func tables(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.single("needletail_sessions", .gauge, "Remote transports.", sum(workers, .sessions))
        page.single("needletail_tracks", .gauge, "Published sources and their replicas.", sum(workers, .tracks))
        page.single("needletail_sinks", .gauge, "Consumers of tracks.", sum(workers, .sinks))
    }

    /// What became of packets on their way through the workers.
    private static func ways(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.single(
            "needletail_forwarded_packets_total", .counter, "Media packets sent to receivers, repetitions not counted.",
            sum(workers, .forwardedPackets))
        page.single(
            "needletail_handovers_total", .counter, "Packets that one worker handed to another.",
            sum(workers, .handoverPackets))
        page.family(
            "needletail_exception_packets_total", .counter,
            "Frames that are the kernel's: from the port to it, and from it to the port."
        ) {
            $0.add(sum(workers, .exceptionToKernel), ["direction": "receive"])
            $0.add(sum(workers, .exceptionFromKernel), ["direction": "transmit"])
        }
        page.single(
            "needletail_punts_total", .counter, "Datagrams handed to the slow path: handshakes.",
            sum(workers, .puntedPackets))
        page.single(
            "needletail_ice_checks_total", .counter, "Authentic connectivity checks answered.",
            sum(workers, .stunRequests))
    }

    private static func repair(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.family("needletail_nacks_total", .counter, "Negative acknowledgements, from receivers and to publishers.")
        {
            $0.add(sum(workers, .nacksReceived), ["direction": "receive"])
            $0.add(sum(workers, .nacksSent), ["direction": "transmit"])
        }
        page.single(
            "needletail_retransmits_total", .counter, "Packets sent again to receivers.",
            sum(workers, .retransmittedPackets))
        page.single(
            "needletail_retransmits_held_back_total", .counter,
            "Packets that receivers asked for within a round trip of the last time, or too often.",
            sum(workers, .resendsHeldBack))
        page.family(
            "needletail_keyframe_requests_total", .counter, "Keyframe requests, from receivers and to publishers."
        ) {
            $0.add(sum(workers, .keyframeRequestsReceived), ["direction": "receive"])
            $0.add(sum(workers, .keyframeRequestsSent), ["direction": "transmit"])
        }
    }

    private static func control(_ page: inout PrometheusText, _ hub: HubReading) {
        page.single("needletail_meetings", .gauge, "Meetings that have not ended.", Double(hub.meetings))
        page.single(
            "needletail_participants", .gauge, "Participants who joined and have not left.", Double(hub.participants))
        page.single(
            "needletail_participants_unattached", .gauge, "Participants with neither a socket nor media yet.",
            Double(hub.participants - hub.attached))
        page.single(
            "needletail_participants_medialess", .gauge, "Participants with a socket who never had media.",
            Double(hub.medialess))
        page.family(
            "needletail_guesses_total", .counter,
            "Wrong passwords and keys of meetings, and those that were refused unlooked at after them."
        ) {
            for secret in ShownSecret.allCases {
                $0.add(Double(hub.wrongGuesses[secret] ?? 0), ["secret": secret.rawValue, "outcome": "wrong"])
                $0.add(Double(hub.refusedGuesses[secret] ?? 0), ["secret": secret.rawValue, "outcome": "refused"])
            }
        }
        page.single(
            "needletail_chat_messages_total", .counter,
            "Messages of chats written, edited or deleted by participants here.",
            Double(hub.chatMessages))
        page.family("needletail_streams", .gauge, "Participants without a socket, who publish by WHIP or play by WHEP.")
        {
            for stream in StreamProtocol.allCases {
                $0.add(Double(hub.streams[stream] ?? 0), ["protocol": stream.rawValue])
            }
        }
        page.family("needletail_join_seconds", .histogram, "From the join call to media that can flow.") {
            $0.add(hub.joinSeconds)
        }
    }

    /// `stunBadIntegrity` as `stun_bad_integrity`, and `dtlsBeforeICE` as `dtls_before_ice`.
    static func snakeCase(_ name: String) -> String {
        var text = ""
        var isInWord = false
        for character in name {
            if character.isUppercase && isInWord { text += "_" }
            isInWord = !character.isUppercase
            text += character.lowercased()
        }
        return text
    }
}
