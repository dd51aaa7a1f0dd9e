/// The latest changes of a meeting at its Home, one copy for all Branches, each of which has its place in it.
struct ChangeLog: Sendable {
    struct Entry: Sendable {
        let number: UInt64
        let origin: RequestOrigin
        let body: [UInt8]
    }

    private let policy: LinkPolicy
    private var entries: ArraySlice<Entry> = []
    private(set) var size = 0

    init(policy: LinkPolicy) { self.policy = policy }

    var count: Int { entries.count }

    mutating func append(_ number: UInt64, _ origin: RequestOrigin, _ body: [UInt8]) {
        entries.append(Entry(number: number, origin: origin, body: body))
        size += body.count
        while entries.count > policy.logChanges || size > policy.logBytes { removeFirst() }
    }

    /// Nil where the change is no longer here, or not yet.
    func entry(_ number: UInt64) -> Entry? {
        guard let first = entries.first, number >= first.number, number - first.number < UInt64(entries.count) else {
            return nil
        }
        return entries[entries.startIndex + Int(number - first.number)]
    }

    /// Drops what all have, but the tail.
    mutating func drop(upTo number: UInt64) {
        while entries.count > policy.logTail, let first = entries.first, first.number <= number { removeFirst() }
    }

    mutating func removeAll() {
        entries = []
        size = 0
    }

    private mutating func removeFirst() {
        if let first = entries.popFirst() { size -= first.body.count }
    }
}
