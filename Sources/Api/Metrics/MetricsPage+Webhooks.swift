import Meetings
import Store

extension MetricsPage {
    /// Without endpoints there are no samples.
    static func render(_ page: inout PrometheusText, _ webhooks: [EndpointReading], at now: Timestamp) {
        page.family(
            "needletail_webhook_deliveries_total", .counter, "Attempts to deliver webhooks, by what they came to."
        ) {
            for endpoint in webhooks {
                let retried = endpoint.failed - min(endpoint.failed, endpoint.died)
                $0.add(Double(endpoint.delivered), ["endpoint": endpoint.name, "result": "delivered"])
                $0.add(Double(retried), ["endpoint": endpoint.name, "result": "retried"])
                $0.add(Double(endpoint.died), ["endpoint": endpoint.name, "result": "dead"])
            }
        }
        page.family("needletail_webhook_pending", .gauge, "Webhooks that wait to be delivered.") {
            for endpoint in webhooks { $0.add(Double(endpoint.pending), ["endpoint": endpoint.name]) }
        }
        page.family("needletail_webhook_oldest_pending_seconds", .gauge, "How long the first that waits has waited.") {
            for endpoint in webhooks { $0.add(endpoint.oldestAge(at: now) ?? 0, ["endpoint": endpoint.name]) }
        }
        page.family("needletail_webhook_dead", .gauge, "Webhooks that were given up.") {
            for endpoint in webhooks { $0.add(Double(endpoint.dead), ["endpoint": endpoint.name]) }
        }
        page.family(
            "needletail_webhook_events_dropped_total", .counter, "Webhooks that found no room, or made room for others."
        ) {
            for endpoint in webhooks { $0.add(Double(endpoint.dropped), ["endpoint": endpoint.name]) }
        }
    }
}
