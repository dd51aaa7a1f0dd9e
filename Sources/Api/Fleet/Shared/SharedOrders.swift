import Fleet
import Meetings
import Synchronization

/// What the hub asked of the fleet and is still to be done, in order, for one reader.
///
/// Of what the media side is told of one participant or meeting the latest waits, and of requests so many. The rest is what a
/// meeting that begins, is looked for or ends is asked once.
final class SharedOrders: Sendable {
    /// Requests that wait for the links; those of one meeting have a limit of their own there.
    static let mostRequests = 8_192

    /// What a later order of the same replaces.
    fileprivate enum Subject: Hashable {
        case remote(ParticipantID)
        case peers(MeetingID)
    }

    fileprivate enum Item {
        case order(SharedOrder)
        case latest(Subject)
    }

    fileprivate struct State {
        var items = Fifo<Item>()
        var latest: [Subject: SharedOrder] = [:]
        var requests = 0
        /// Meetings that are to be opened, and nothing else of them came behind that.
        var opening: Set<MeetingID> = []
    }

    private let state = Mutex(State())
    private let signal: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    init() { (signal, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    var count: Int { state.withLock { $0.items.count } }

    /// - Returns: false for a request beyond the limit, which is not taken.
    func append(_ order: SharedOrder) -> Bool {
        let isTaken = state.withLock { $0.append(order) }
        ring.yield()
        return isTaken
    }

    /// Hands over all that waits and comes, until the task is cancelled.
    func hand(_ body: (SharedOrder) async -> Void) async {
        for await _ in signal {
            while let order = state.withLock({ $0.popFirst() }) { await body(order) }
        }
    }
}

extension SharedOrders.State {
    fileprivate mutating func append(_ order: SharedOrder) -> Bool {
        switch order {
        case .remote(let participant, _, _): replace(.remote(participant), with: order)
        case .peers(_, let meeting): replace(.peers(meeting), with: order)
        case .request:
            guard requests < SharedOrders.mostRequests else { return false }
            requests += 1
            items.append(.order(order))
        case .open(let meeting, _):
            if opening.insert(meeting).inserted { items.append(.order(order)) }
        case .begin(let meeting, _, _), .close(let meeting), .standBy(let meeting, _, _), .setStandby(let meeting, _),
            .askStandby(_, let meeting, _), .noteEnd(let meeting):
            opening.remove(meeting)
            items.append(.order(order))
        }
        return true
    }

    private mutating func replace(_ subject: SharedOrders.Subject, with order: SharedOrder) {
        if latest.updateValue(order, forKey: subject) == nil { items.append(.latest(subject)) }
    }

    fileprivate mutating func popFirst() -> SharedOrder? {
        switch items.popFirst() {
        case nil: return nil
        case .latest(let subject): return latest.removeValue(forKey: subject)
        case .order(let order):
            if case .request = order { requests -= 1 }
            if case .open(let meeting, _) = order { opening.remove(meeting) }
            return order
        }
    }
}
