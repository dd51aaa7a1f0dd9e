/// Where a Track's packets come from.
@frozen
public enum TrackSource: Hashable, Sendable, BitwiseCopyable {
    /// A publisher, by the Session that it sends over.
    case session(SessionHandle)
    /// A sibling worker: this Track is a replica of one there, which is named. That worker feeds it (`Command.feed`), and
    /// is told which Layers are wanted here and where a keyframe is needed.
    case sibling(TrackHandle)
    /// Another PoP, over this Lane: the far end sends under names that were told it by control, and is told by the worker
    /// which Layers are wanted here and where a keyframe is needed.
    case lane(LaneHandle)

    /// The publisher's Session; nil where there is none.
    @inlinable
    public var session: SessionHandle? {
        if case .session(let session) = self { session } else { nil }
    }

    /// The Track that a replica is fed from; nil for a Track that is no replica.
    @inlinable
    public var origin: TrackHandle? {
        if case .sibling(let origin) = self { origin } else { nil }
    }

    /// The Lane that it comes over; nil where there is none.
    @inlinable
    public var lane: LaneHandle? {
        if case .lane(let lane) = self { lane } else { nil }
    }
}
