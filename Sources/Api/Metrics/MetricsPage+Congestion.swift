import Mailbox

/// What receivers' paths carry, and what is done to find out and to keep to it.
extension MetricsPage {
    static func congestion(_ page: inout PrometheusText, _ workers: [WorkerReading]) {
        page.single(
            "needletail_paused_slots", .gauge, "Slots that show nothing for want of their receiver's bandwidth.",
            sum(workers, .pausedSlots))
        page.single(
            "needletail_paced_packets_total", .counter, "Packets that waited, as their receiver was over its budget.",
            sum(workers, .pacedPackets))
        page.single(
            "needletail_probes_total", .counter, "Probes of what receivers' paths carry.", sum(workers, .probes))
        page.single(
            "needletail_probe_packets_total", .counter, "Packets that were sent for probes alone.",
            sum(workers, .probePackets))
        page.single(
            "needletail_feedback_unknown_total", .counter,
            "Statuses of receivers' feedback on packets that were not sent, or too long ago.",
            sum(workers, .feedbackUnknown))
    }
}
