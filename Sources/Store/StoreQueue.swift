import Synchronization

/// What waits for the writer, in order, and whether it can write. Any thread may use it; the writer alone takes from it.
final class StoreQueue: Sendable {
    /// Writes that nobody waits for, but ends of meetings: there are no more of these than meetings in memory.
    static let followingLimit = 16_384
    /// Groups of writes that somebody waits for.
    static let promisedLimit = 1_024
    /// Groups of one transaction.
    static let batchLimit = 4_096

    /// Writes that are stored together, or not at all.
    struct Group: Sendable {
        let writes: [StoreWrite]
        /// It waits until it is stored, whatever happens meanwhile.
        let stays: Bool
        /// Of one that does not stay: what comes behind it, once its caller was told that nobody knows.
        var undo: StoreWrite?
        /// Counts for `followingLimit`.
        var isBounded = true
        /// Whoever waits is told once.
        var answer: (@Sendable (StoreFailure?) -> Void)?
    }

    /// When the writer is to look.
    enum Wake: Comparable {
        case never, soon, now
    }

    private struct State {
        var waiting: [Group] = []
        /// Of the transaction under way.
        var inFlight: [Group] = []
        var inFlightSince: ContinuousClock.Instant?
        /// Writes that wait or are under way, and count for the limit.
        var following = 0
        var promised = 0
        var wake = Wake.never
        /// Nil while it can be written.
        var trouble: String?
        var isClosed = false
        var errors: UInt64 = 0
        var lost: UInt64 = 0

        /// The place of a waiting write that says the same of an earlier moment, and that nothing behind it builds on.
        func outdated(by group: Group) -> Int? {
            guard group.stays, group.answer == nil, group.writes.count == 1, case .poll(let poll, _) = group.writes[0]
            else { return nil }
            for place in waiting.indices.reversed() {
                let known = waiting[place]
                guard known.writes.count == 1 else { continue }
                switch known.writes[0] {
                case .poll(let earlier, _) where earlier.id == poll.id: return known.answer == nil ? place : nil
                case .deletePoll(poll.id): return nil
                default: continue
                }
            }
            return nil
        }

        mutating func remember(_ group: Group, by step: Int) {
            if group.stays {
                if group.isBounded { following += step * group.writes.count }
            } else {
                promised += step
            }
        }
    }

    private let state = Mutex(State())

    var reading: StoreReading {
        state.withLock { state in
            StoreReading(
                isUp: state.trouble == nil,
                waiting: (state.waiting + state.inFlight).reduce(0) { $0 + $1.writes.count }, errors: state.errors,
                lost: state.lost)
        }
    }

    var isDown: Bool { state.withLock { $0.trouble != nil } }

    /// Takes writes, or answers at once where they would wait in vain.
    ///
    /// - Returns: when the writer, which was not told yet, is to look.
    func add(_ group: Group) -> Wake {
        let (wake, refusal) = state.withLock { state -> (Wake, StoreFailure?) in
            if state.isClosed { return (.never, .unavailable("closed")) }
            if group.stays {
                guard !group.isBounded || state.following + group.writes.count <= Self.followingLimit else {
                    state.lost += UInt64(group.writes.count)
                    return (.never, nil)
                }
            } else if let refusal = state.trouble ?? (state.promised < Self.promisedLimit ? nil : "overloaded") {
                return (.never, .unavailable(refusal))
            }
            var group = group
            // It is tried each second, and nobody waits for that.
            let isHopeless = state.trouble != nil
            let answer = isHopeless ? group.answer : nil
            if isHopeless { group.answer = nil }
            if let place = state.outdated(by: group) {
                state.waiting[place] = group
                return (.never, nil)
            }
            state.remember(group, by: 1)
            state.waiting.append(group)
            if isHopeless { return (.never, answer == nil ? nil : .late) }
            let wanted: Wake = group.answer == nil ? .soon : .now
            guard wanted > state.wake else { return (.never, nil) }
            state.wake = wanted
            return (wanted, nil)
        }
        if let refusal { group.answer?(refusal) }
        return wake
    }

    /// The writer's: the next transaction. Empty: nothing waits.
    func take(at now: ContinuousClock.Instant) -> [Group] {
        state.withLock { state in
            state.wake = .never
            state.inFlight = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(state.inFlight.count)
            state.inFlightSince = state.inFlight.isEmpty ? nil : now
            return state.inFlight
        }
    }

    /// The writer's: what it took is stored, but the groups that the database refused for what they are.
    ///
    /// - Returns: why it could not be written before, if that was so.
    @discardableResult
    func succeed(refused: Set<Int> = []) -> String? {
        let (answers, trouble) = state.withLock { state in
            defer {
                (state.inFlight, state.inFlightSince, state.trouble) = ([], nil, nil)
                state.errors += UInt64(refused.count)
            }
            for group in state.inFlight { state.remember(group, by: -1) }
            return (state.inFlight.map(\.answer), state.trouble)
        }
        for (place, answer) in answers.enumerated() {
            answer?(refused.contains(place) ? .unavailable("refused") : nil)
        }
        return trouble
    }

    /// The writer's: nothing of what it took is stored. What stays waits on; who waits for the rest is told.
    ///
    /// - Returns: whether this is news.
    func fail(_ reason: String) -> Bool {
        let (told, isNews) = state.withLock { state in
            let all = state.inFlight + state.waiting
            for group in state.inFlight + state.waiting where !group.stays { state.remember(group, by: -1) }
            state.waiting = all.filter(\.stays).map { group in
                var group = group
                group.answer = nil
                return group
            }
            let isNews = state.trouble == nil
            (state.inFlight, state.inFlightSince, state.trouble) = ([], nil, reason)
            state.errors += 1
            return (all, isNews)
        }
        for group in told { group.answer?(group.stays ? .late : .unavailable(reason)) }
        return isNews
    }

    /// Lets nobody wait for a transaction that takes longer than `patience`.
    ///
    /// - Returns: whether there is one, and nobody said so yet.
    func giveUp(after patience: Duration, at now: ContinuousClock.Instant) -> Bool {
        let (told, isNews) = state.withLock { state -> ([(StoreFailure, Group)], Bool) in
            guard let since = state.inFlightSince, now - since >= patience else { return ([], false) }
            let reason = "a transaction takes longer than \(patience)"
            let isNews = state.trouble == nil
            state.trouble = reason
            var told = state.inFlight.map { (StoreFailure.late, $0) }
            told += state.waiting.map { ($0.stays ? .late : .unavailable(reason), $0) }
            // Counted down when the transaction ends.
            for place in state.inFlight.indices { state.inFlight[place].answer = nil }
            for group in state.waiting where !group.stays { state.remember(group, by: -1) }
            state.waiting.removeAll { !$0.stays }
            for place in state.waiting.indices { state.waiting[place].answer = nil }
            let late = told.prefix(state.inFlight.count).filter { $0.1.answer != nil }
            let undo = late.compactMap(\.1.undo).map { Group(writes: [$0], stays: true, isBounded: false) }
            state.waiting.insert(contentsOf: undo, at: 0)
            if isNews { state.errors += 1 }
            return (told, isNews)
        }
        for (failure, group) in told { group.answer?(failure) }
        return isNews
    }

    /// Whether the writer has anything under way.
    var isWriting: Bool { state.withLock { $0.inFlightSince != nil } }

    /// Takes nothing any more.
    func close() { state.withLock { $0.isClosed = true } }
}

/// How the Store is.
public struct StoreReading: Sendable, Equatable {
    /// What was tried last was stored, and in time.
    public var isUp: Bool
    /// Writes that are not stored yet.
    public var waiting: Int
    /// Transactions that failed, and groups of writes that the database refused.
    public var errors: UInt64
    /// Writes that found no room in the queue.
    public var lost: UInt64
}
