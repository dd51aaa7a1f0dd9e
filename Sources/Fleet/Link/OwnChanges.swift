/// What a PoP's own clients have set in a meeting, and were told is done: the last change for each key. After a merge, what the
/// other history lacks of it is offered again, so no PoP needs to keep more of the past than its own people's part.
struct OwnChanges<Change: MeetingChange>: Sendable {
    struct Entry: Sendable {
        let id: UInt64
        let change: Change
    }

    let limit: Int
    private var entries: [String: Entry] = [:]
    /// Given up because there were too many.
    private(set) var lost = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    mutating func insert(_ id: UInt64, _ change: Change) {
        if let entry = entries[change.key], entry.id >= id { return }
        entries[change.key] = Entry(id: id, change: change)
        if entries.count > limit { makeRoom() }
    }

    /// Forgets one that a Home refused.
    mutating func remove(_ id: UInt64, _ key: String) {
        if entries[key]?.id == id { entries[key] = nil }
    }

    /// In the order of their ids.
    func missing(in origins: RequestOrigins, of pop: PoPInstance) -> [Entry] {
        entries.values.filter { !origins.contains(RequestOrigin(pop: pop, id: $0.id)) }.sorted { $0.id < $1.id }
    }

    /// An eighth at once: first those that took something away, which after so many others nobody misses; then the oldest.
    private mutating func makeRoom() {
        let order = entries.sorted {
            ($0.value.change.isRemoval ? 0 : 1, $0.value.id) < ($1.value.change.isRemoval ? 0 : 1, $1.value.id)
        }
        for (key, _) in order.prefix(max(1, limit / 8)) {
            entries[key] = nil
            lost += 1
        }
    }
}
