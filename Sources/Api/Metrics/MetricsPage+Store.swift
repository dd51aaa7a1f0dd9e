import Store

extension MetricsPage {
    /// Nil: meetings live in memory alone, and there are no samples.
    static func render(_ page: inout PrometheusText, _ store: StoreReading?) {
        page.family("needletail_store_up", .gauge, "1 while what is written is stored, and in time.") {
            if let store { $0.add(store.isUp ? 1 : 0) }
        }
        page.family("needletail_store_queue", .gauge, "Writes that are not stored yet.") {
            if let store { $0.add(Double(store.waiting)) }
        }
        page.family(
            "needletail_store_errors_total", .counter, "Transactions that failed, and writes that the database refused."
        ) {
            if let store { $0.add(Double(store.errors)) }
        }
        page.family(
            "needletail_store_lost_total", .counter,
            "Sessions, decisions and messages of chats that found no room in the Store's queue."
        ) {
            if let store { $0.add(Double(store.lost)) }
        }
    }
}
