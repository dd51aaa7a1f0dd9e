import Fleet

extension MetricsPage {
    /// Nil: no fleet, and no samples.
    static func render(_ page: inout PrometheusText, _ fleet: FleetReading?) {
        page.family("needletail_fleet_registry_up", .gauge, "1 while the fleet's registry can be reached.") {
            if let fleet { $0.add(fleet.isRegistryUp ? 1 : 0) }
        }
        page.family(
            "needletail_fleet_peers", .gauge,
            "The other PoPs of the fleet, by state: serving, draining, lost (not in the registry any more, for 10 minutes)."
        ) {
            guard let fleet else { return }
            for state in FleetJSON.State.allCases { $0.add(Double(fleet.count(state)), ["state": state.rawValue]) }
        }
        page.family(
            "needletail_fleet_epoch_changes_total", .counter,
            "Meetings of this PoP of which another became the Home, or this one again."
        ) {
            if let fleet { $0.add(Double(fleet.epochChanges)) }
        }
        render(&page, fleet?.links)
        render(&page, fleet?.trunks)
    }

    /// Nil: no links, and no samples.
    private static func render(_ page: inout PrometheusText, _ links: LinkReading?) {
        page.family("needletail_fleet_links", .gauge, "Open links to other PoPs of the fleet.") {
            if let links { $0.add(Double(links.open.count)) }
        }
        page.family(
            "needletail_fleet_link_rtt_seconds", .gauge, "The round trip of a link, smoothed as TCP does it, by PoP."
        ) {
            for (pop, roundTrip) in links?.open.sorted(by: { $0.key < $1.key }) ?? [] {
                if let roundTrip { $0.add(roundTrip / .seconds(1), ["pop": pop.rawValue]) }
            }
        }
        page.family(
            "needletail_fleet_links_refused_total", .counter, "Connections of links that became none, by reason."
        ) {
            guard let links else { return }
            for kind in LinkFailure.kinds { $0.add(Double(links.refused[kind] ?? 0), ["reason": kind]) }
        }
        page.family("needletail_fleet_links_ended_total", .counter, "Links that ended, by reason.") {
            guard let links else { return }
            for kind in LinkFailure.kinds { $0.add(Double(links.ended[kind] ?? 0), ["reason": kind]) }
        }
        page.family(
            "needletail_fleet_exchange_total", .counter,
            "What other PoPs sent about meetings that was not taken, and what was made good, by event."
        ) {
            guard let counters = links?.exchange else { return }
            let events: [(String, Int)] = [
                ("foreign", counters.foreign), ("past", counters.past), ("duplicate", counters.duplicates),
                ("gap", counters.gaps), ("garbled", counters.garbled), ("state", counters.states),
                ("oversized", counters.oversized), ("step_down", counters.stepsDown), ("offered", counters.offered),
            ]
            for (event, count) in events { $0.add(Double(count), ["event": event]) }
        }
    }
}
