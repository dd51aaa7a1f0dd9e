import Mailbox

/// What the relay did (documentation, Metrics). No label is made of a user's name.
extension MetricsPage {
    private static let refusals: [(Counter, reason: String)] = [
        (.turnChallenges, "challenge"), (.turnRefused400, "bad_request"), (.turnRefused401, "unauthorized"),
        (.turnRefused403, "forbidden"), (.turnRefused405, "method_not_allowed"),
        (.turnRefused420, "unknown_attribute"), (.turnRefused437, "allocation_mismatch"),
        (.turnRefused438, "stale_nonce"), (.turnRefused440, "address_family_not_supported"),
        (.turnRefused441, "wrong_credentials"), (.turnRefused442, "unsupported_transport"),
        (.turnRefused443, "peer_address_family_mismatch"), (.turnRefused486, "allocation_quota_reached"),
        (.turnRefused508, "insufficient_capacity"), (.turnRefusedOther, "other"),
    ]

    static func relay(_ page: inout PrometheusText, _ workers: [WorkerReading], streams: TURNStreamGauge?) {
        page.single("needletail_allocations", .gauge, "TURN allocations.", sum(workers, .allocations))
        page.single(
            "needletail_turn_allocations_opened_total", .counter, "TURN allocations made.",
            sum(workers, .allocationsOpened))
        page.family(
            "needletail_turn_relayed_bytes_total", .counter, "Payload relayed from clients to peers and back."
        ) {
            $0.add(sum(workers, .relayedBytesToPeer), ["direction": "to_peer"])
            $0.add(sum(workers, .relayedBytesToClient), ["direction": "to_client"])
        }
        page.family(
            "needletail_turn_relayed_packets_total", .counter, "Packets relayed from clients to peers and back."
        ) {
            $0.add(sum(workers, .relayedPacketsToPeer), ["direction": "to_peer"])
            $0.add(sum(workers, .relayedPacketsToClient), ["direction": "to_client"])
        }
        page.single(
            "needletail_turn_short_circuit_packets_total", .counter,
            "Relayed packets that stayed inside, as the peer was this node.", sum(workers, .relayShortCircuit))
        page.single(
            "needletail_turn_requests_total", .counter, "TURN requests with credentials.", sum(workers, .turnRequests))
        page.single(
            "needletail_stun_answers_total", .counter, "Binding requests answered that are not ICE checks.",
            sum(workers, .stunAnswers))
        page.family("needletail_turn_refusals_total", .counter, "TURN's error responses, by reason.") {
            for (counter, reason) in refusals { $0.add(sum(workers, counter), ["reason": reason]) }
        }
        if let streams { connections(&page, streams) }
    }

    private static func connections(_ page: inout PrometheusText, _ streams: TURNStreamGauge) {
        page.single(
            "needletail_turn_streams", .gauge, "TCP and TLS connections of TURN clients.", Double(streams.count))
        page.single(
            "needletail_turn_streams_refused_total", .counter, "Connections refused for a limit.",
            Double(streams.refusals))
        page.family(
            "needletail_turn_stream_drops_total", .counter, "Messages of TCP and TLS clients dropped, by reason."
        ) {
            for drop in TURNBridge.Drop.allCases {
                $0.add(Double(streams[drop]), ["reason": snakeCase("\(drop)")])
            }
        }
    }
}
