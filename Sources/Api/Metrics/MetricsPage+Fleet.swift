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
    }
}
