import Mailbox

/// What the metrics say of the node itself.
struct NodeMetrics: Sendable {
    var isReady = false
    var isDraining = false
    var capacity = NodeCapacity(sessions: 0, tracks: 0, sinks: 0)
    /// Joins that were refused, by reason.
    var refusals: [(reason: String, count: UInt64)] = []
    /// By listener, seconds since 1970; none without TLS.
    var certificateExpiries: [(listener: String, expiry: Double)] = []
    /// Of the API listener.
    var connections = 0
    var connectionsRefused: UInt64 = 0
    /// Those of HTTP/2.
    var requestsRefused: UInt64 = 0
    /// What the API listener ended, by reason.
    var ended: [(reason: String, count: UInt64)] = []
    var ports: [PortReading] = []
    var droppedLogLines: UInt64 = 0
}

extension MetricsPage {
    static func render(_ page: inout PrometheusText, _ node: NodeMetrics) {
        page.single("needletail_ready", .gauge, "1 when the node takes traffic.", node.isReady ? 1 : 0)
        page.single(
            "needletail_draining", .gauge, "1 while the node takes no newcomers, until that is taken back.",
            node.isDraining ? 1 : 0)
        page.family(
            "needletail_port_lost_packets_total", .counter,
            "Packets that the device lost, by reason: missed (no worker took them in time), receive_error, no_buffer, "
                + "transmit_error."
        ) {
            for port in node.ports {
                let losses = [
                    ("missed", port.missed), ("receive_error", port.receiveErrors), ("no_buffer", port.noBuffer),
                    ("transmit_error", port.transmitErrors),
                ]
                for (reason, count) in losses { $0.add(Double(count), ["port": port.port, "reason": reason]) }
            }
        }
        page.family("needletail_capacity", .gauge, "Places of all workers' tables.") {
            $0.add(Double(node.capacity.sessions), ["table": "sessions"])
            $0.add(Double(node.capacity.tracks), ["table": "tracks"])
            $0.add(Double(node.capacity.sinks), ["table": "sinks"])
        }
        page.family("needletail_joins_refused_total", .counter, "Joins that found no place on the node, by reason.") {
            for (reason, count) in node.refusals { $0.add(Double(count), ["reason": reason]) }
        }
        page.single(
            "needletail_api_connections", .gauge, "Open connections of the API listener.", Double(node.connections))
        page.single(
            "needletail_api_connections_refused_total", .counter,
            "Connections of the API listener that were closed at once, as their address had enough.",
            Double(node.connectionsRefused))
        page.single(
            "needletail_api_requests_refused_total", .counter,
            "HTTP/2 requests of the API listener that were reset at once, as their address or the listener had enough.",
            Double(node.requestsRefused))
        page.single(
            "needletail_log_lines_dropped_total", .counter, "Lines of the log that could not be written.",
            Double(node.droppedLogLines))
        page.family(
            "needletail_api_ended_total", .counter,
            "Sockets and requests of the API listener that were ended, as their clients kept to no limit, by reason."
        ) {
            for (reason, count) in node.ended { $0.add(Double(count), ["reason": reason]) }
        }
        guard !node.certificateExpiries.isEmpty else { return }
        page.family(
            "needletail_certificate_expiry_timestamp_seconds", .gauge,
            "Until when the certificate of a TLS listener is valid, seconds since 1970."
        ) {
            for (listener, expiry) in node.certificateExpiries { $0.add(expiry, ["listener": listener]) }
        }
    }

    /// Of the drops, those that say something of keys and of attackers.
    static func srtpErrors(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.family("needletail_srtp_errors_total", .counter, "SRTP and SRTCP packets that were not opened, by reason.")
        {
            let reasons: [(DropReason, String)] = [
                (.srtpNoKeys, "no_keys"), (.srtpAuthentication, "authentication"), (.srtpReplay, "replay"),
            ]
            for (reason, name) in reasons {
                $0.add(workers.reduce(0) { $0 + Double($1.counters[reason]) }, ["reason": name])
            }
        }
    }
}

extension NodeObserver {
    func metrics(
        _ connections: ConnectionCount, _ requests: ConnectionCount, _ ends: ConnectionEnds
    ) async -> NodeMetrics {
        NodeMetrics(
            isReady: await findings().allSatisfy(\.condition.isMet), isDraining: !drain.acceptsNewcomers,
            capacity: status.capacity,
            refusals: Admission.Reason.allCases.map { ($0.rawValue, admission.refusals($0)) },
            certificateExpiries: certificates.map { ($0.listener.rawValue, $0.store.validity.notAfter.seconds) },
            connections: connections.open, connectionsRefused: connections.refused,
            requestsRefused: requests.refused,
            ended: ConnectionEnds.Reason.allCases.map { ($0.rawValue, ends[$0]) }, ports: status.ports,
            droppedLogLines: status.droppedLogLines)
    }
}
