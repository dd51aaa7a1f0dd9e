import Mailbox

/// What receivers' paths carry, and what is done to find out and to keep to it.
extension MetricsPage {
    static func congestion(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        paths(&page, workers)
        page.single(
            "needletail_paused_slots", .gauge, "Slots that show nothing for want of their receiver's bandwidth.",
            sum(workers, .pausedSlots))
        page.single(
            "needletail_paced_packets_total", .counter, "Packets that waited, as their receiver was over its budget.",
            sum(workers, .pacedPackets))
        page.single(
            "needletail_omitted_packets_total", .counter,
            "Packets of temporal layers that slots were not sent for want of their receiver's bandwidth.",
            sum(workers, .omittedPackets))
        page.single(
            "needletail_probes_total", .counter, "Probes of what receivers' paths carry.", sum(workers, .probes))
        page.single(
            "needletail_probe_packets_total", .counter, "Packets that were sent for probes alone.",
            sum(workers, .probePackets))
        page.single(
            "needletail_redundant_packets_total", .counter, "Sounds that went out with those before them (RED).",
            sum(workers, .redundantPackets))
        page.family(
            "needletail_repair_bytes_total", .counter,
            "Of RTP packets to receivers what was sent again, what earlier sounds took, and what was sent for probes alone."
        ) { samples in
            samples.add(sum(workers, .retransmittedBytes), ["kind": "retransmission"])
            samples.add(sum(workers, .redundantBytes), ["kind": "redundancy"])
            samples.add(sum(workers, .probeBytes), ["kind": "probe"])
        }
        page.single(
            "needletail_feedback_unknown_total", .counter,
            "Statuses of receivers' feedback on packets that were not sent, or too long ago.",
            sum(workers, .feedbackUnknown))
    }

    /// Of each Session that sends feedback, five times a second.
    private static func paths(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        let families: [(String, String, Distribution, unit: Double)] = [
            ("needletail_path_estimate_bytes_per_second", "What receivers' paths carry.", .pathEstimate, 125),
            ("needletail_path_queue_seconds", "How long packets wait on receivers' paths.", .pathQueue, 1e-3),
            ("needletail_path_round_trip_seconds", "To receivers and back.", .pathRoundTrip, 1e-3),
            ("needletail_path_loss_ratio", "What is lost of what receivers are sent.", .pathLoss, 1e-3),
        ]
        for (name, help, distribution, unit) in families {
            page.family(name, .histogram, help) { samples in
                samples.add(histogram(workers.map { $0.counters[distribution] }, distribution, unit: unit))
            }
        }
        page.single(
            "needletail_path_overuses_total", .counter,
            "How often the queue of a receiver's path became much longer than wanted.", sum(workers, .overuses))
    }
}
