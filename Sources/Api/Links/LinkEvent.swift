import Fleet
import Meetings
import NIOCore
import Synchronization

/// What a PoP hears of its links and of the meetings that it shares.
public enum LinkEvent: Hashable, Sendable {
    /// There is a link to the PoP, to this start of it.
    case opened(PoPInstance)
    /// It is gone.
    case closed(PoPName)
    /// What the PoP's media side says to ours.
    case trunk(PoPName, [UInt8])
    /// The request of an own client was made, and this PoP's copy has it.
    case done(MeetingID, request: UInt64)
    case refused(MeetingID, request: UInt64, reason: String)
    /// The copy has changed.
    case changed(MeetingID)
    /// This PoP is the meeting's Home from now on.
    case leads(MeetingID, epoch: UInt64)
    /// The PoP is, as far as is known.
    case follows(MeetingID, PoPName)

    /// The PoP, its Home, wants this one to be the meeting's standby; without a number no more.
    case standby(MeetingID, MeetingNumber?, PoPName)

    /// A PoP says that the meeting was ended for all.
    case ended(MeetingID)

    /// Bytes that it holds, about.
    var size: Int { if case .trunk(_, let bytes) = self { 64 + bytes.count } else { 64 } }
}

/// The events of a PoP's links, in order, for one reader.
///
/// None is lost: while too many wait, the links are not read.
public struct LinkEvents: AsyncSequence, Sendable {
    public typealias Element = LinkEvent

    /// Bytes that may wait; reading goes on at half of them.
    static let limit = 4 << 20

    private let stream: AsyncStream<LinkEvent>
    private let continuation: AsyncStream<LinkEvent>.Continuation
    private let backlog = Backlog()

    /// What waits, for both sides.
    fileprivate final class Backlog: Sendable {
        struct State {
            var bytes = 0
            var onRelief: (@Sendable () -> Void)?
        }

        let state = Mutex(State())
    }

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded) }

    /// Bytes that wait.
    var waiting: Int { backlog.state.withLock { $0.bytes } }

    var isFull: Bool { waiting >= Self.limit }

    /// - Parameter onRelief: called when less waits again; on any thread.
    func setRelief(_ onRelief: @escaping @Sendable () -> Void) {
        backlog.state.withLock { $0.onRelief = onRelief }
    }

    func append(_ event: LinkEvent) {
        backlog.state.withLock { $0.bytes += event.size }
        continuation.yield(event)
    }

    func finish() { continuation.finish() }

    public func makeAsyncIterator() -> Iterator { Iterator(base: stream.makeAsyncIterator(), backlog: backlog) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: AsyncStream<LinkEvent>.Iterator
        fileprivate let backlog: Backlog

        public mutating func next() async -> LinkEvent? {
            guard let event = await base.next() else { return nil }
            let onRelief = backlog.state.withLock { state in
                let before = state.bytes
                state.bytes -= event.size
                let isRelieved = before > LinkEvents.limit / 2 && state.bytes <= LinkEvents.limit / 2
                return isRelieved ? state.onRelief : nil
            }
            onRelief?()
            return event
        }
    }
}
