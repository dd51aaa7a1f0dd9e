import Mailbox

/// Which Tracks have a replica on which other worker, and how many Slots there show it.
///
/// A pure ledger: it says when a replica is to be opened, fed and closed; its owner sends the commands.
struct ReplicaLedger {
    struct Key: Hashable {
        var origin: TrackHandle
        /// Where the replica is.
        var worker: Int
    }

    private struct Entry {
        var replica: TrackHandle
        /// Slots that show it.
        var users: Int
        /// The source's worker was told to feed it.
        var isFed = false
    }

    /// A replica that nobody uses any more.
    struct Ended: Equatable {
        var origin: TrackHandle
        var replica: TrackHandle
        var wasFed: Bool
    }

    private var entries: [Key: Entry] = [:]
    private var workers: [TrackHandle: Set<Int>] = [:]

    var count: Int { entries.count }

    /// The replica, for a Slot that shows it already.
    func replica(_ key: Key) -> TrackHandle? { entries[key]?.replica }

    /// One more Slot shows the replica; nil when there is none yet.
    mutating func retain(_ key: Key) -> TrackHandle? {
        guard entries[key] != nil else { return nil }
        entries[key]?.users += 1
        return entries[key]?.replica
    }

    /// Enters a replica that was just opened, with one Slot that shows it.
    mutating func insert(_ replica: TrackHandle, for key: Key) {
        entries[key] = Entry(replica: replica, users: 1)
        workers[key.origin, default: []].insert(key.worker)
    }

    /// The worker of the replica can see it: it is to be fed. False when it ended in the meantime.
    mutating func beginFeeding(_ key: Key, replica: TrackHandle) -> Bool {
        guard let entry = entries[key], entry.replica == replica, !entry.isFed else { return false }
        entries[key]?.isFed = true
        return true
    }

    /// One Slot less shows it. Answers the replica when that was the last; nil too when the Track
    /// ended before.
    mutating func release(_ key: Key) -> Ended? {
        guard let entry = entries[key] else { return nil }
        guard entry.users == 1 else {
            entries[key]?.users -= 1
            return nil
        }
        return end(key)
    }

    /// The Track ended: all its replicas do.
    mutating func endAll(of origin: TrackHandle) -> [Ended] {
        (workers[origin] ?? []).sorted().compactMap { end(Key(origin: origin, worker: $0)) }
    }

    private mutating func end(_ key: Key) -> Ended? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        workers[key.origin]?.remove(key.worker)
        if workers[key.origin]?.isEmpty == true { workers[key.origin] = nil }
        return Ended(origin: key.origin, replica: entry.replica, wasFed: entry.isFed)
    }
}
