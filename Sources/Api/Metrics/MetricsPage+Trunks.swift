import Conference
import Fleet

extension MetricsPage {
    /// Nil: no Trunks can be, and no samples.
    static func render(_ page: inout PrometheusText, _ trunks: TrunkReading?) {
        let reports = trunks?.reports ?? []
        func family(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (TrunkReport) -> Double?
        ) {
            page.family(name, kind, help) { samples in
                for report in reports {
                    if let value = value(report) { samples.add(value, ["pop": report.pop.rawValue]) }
                }
            }
        }
        func directions(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String, received: (TrunkReport) -> Double,
            sent: (TrunkReport) -> Double
        ) {
            page.family(name, kind, help) { samples in
                for report in reports {
                    samples.add(received(report), ["pop": report.pop.rawValue, "direction": "receive"])
                    samples.add(sent(report), ["pop": report.pop.rawValue, "direction": "transmit"])
                }
            }
        }
        family("needletail_trunk_open", .gauge, "1 while the other PoP's director is heard over a link.") {
            $0.isOpen ? 1 : 0
        }
        family("needletail_trunk_lanes", .gauge, "Lanes to the PoP, those that take and those that give.") {
            Double($0.lanes)
        }
        directions(
            "needletail_trunk_tracks", .gauge, "Tracks carried over the Trunk now.",
            received: { Double($0.carriedIn) }, sent: { Double($0.carriedOut) })
        directions(
            "needletail_trunk_packets_total", .counter, "Media packets over the Trunk, those sent again among them.",
            received: { Double($0.receivedPackets) }, sent: { Double($0.sentPackets) })
        family("needletail_trunk_sent_bytes_total", .counter, "Bytes of media packets sent over the Trunk.") {
            Double($0.sentBytes)
        }
        family(
            "needletail_trunk_missing_packets_total", .counter,
            "Packets of the PoP for this one that did not come in their turn: lost, or overtaken."
        ) { Double($0.missingPackets) }
        family(
            "needletail_trunk_repaired_packets_total", .counter, "Missing packets that came later, asked for or not."
        ) { Double($0.repairedPackets) }
        family(
            "needletail_trunk_rtt_seconds", .gauge, "The round trip of the Trunk's slowest Lane, once it was measured."
        ) { $0.roundTrip == 0 ? nil : Double($0.roundTrip) / 1e9 }
        page.family(
            "needletail_trunk_messages_refused_total", .counter, "Messages of other directors not taken, by reason."
        ) {
            guard let refusals = trunks?.refusals else { return }
            $0.add(Double(refusals.malformed), ["reason": "malformed"])
            $0.add(Double(refusals.stray), ["reason": "stray"])
        }
    }
}
