/// What a PoP's own clients have set in a meeting, and were told is done: the last change for each key. After a merge, what the
/// other history lacks of it is offered again, so no PoP needs to keep more of the past than its own people's part.
struct OwnChanges<Change: MeetingChange>: Sendable {
    struct Entry: Sendable {
        let id: UInt64
        let change: Change
    }

    /// Of what people said, so much.
    static var messageLimit: Int { 256 }

    let limit: Int
    private var messages = 0
    private var entries: [String: Entry] = [:]
    /// Given up because there were too many.
    private(set) var lost = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    mutating func insert(_ id: UInt64, _ change: Change) {
        if change.isMomentary { return }
        if let entry = entries[change.key], entry.id >= id { return }
        let isNew = entries.updateValue(Entry(id: id, change: change), forKey: change.key) == nil
        if isNew, change.isMessage { messages += 1 }
        if messages > Self.messageLimit {
            giveUp(oldest.filter(\.value.change.isMessage).prefix(Self.messageLimit / 8))
        }
        if entries.count > limit { makeRoom() }
    }

    /// Forgets one that a Home refused.
    mutating func remove(_ id: UInt64, _ key: String) {
        guard let entry = entries[key], entry.id == id else { return }
        entries[key] = nil
        if entry.change.isMessage { messages -= 1 }
    }

    /// Forgets those that nobody is to know any more.
    mutating func removeAll(where isOutdated: (Change) -> Bool) {
        for (key, entry) in entries where isOutdated(entry.change) { remove(entry.id, key) }
    }

    /// In the order of their ids.
    func missing(in origins: RequestOrigins, of pop: PoPInstance) -> [Entry] {
        entries.values.filter { !origins.contains(RequestOrigin(pop: pop, id: $0.id)) }.sorted { $0.id < $1.id }
    }

    private var oldest: [(key: String, value: Entry)] { entries.sorted { $0.value.id < $1.value.id } }

    /// An eighth at once: first those that took something away, which after so many others nobody misses; then the oldest.
    private mutating func makeRoom() {
        let order = oldest
        let removals = order.filter(\.value.change.isRemoval)
        giveUp((removals + order.filter { !$0.value.change.isRemoval }).prefix(max(1, limit / 8)))
    }

    private mutating func giveUp(_ given: some Sequence<(key: String, value: Entry)>) {
        for (key, entry) in given {
            entries[key] = nil
            if entry.change.isMessage { messages -= 1 }
            lost += 1
        }
    }
}
