/// Names one entry of a worker's table by place and generation, never by pointer.
///
/// Control hands out indices (it knows the capacity), so creating an entry needs no answer from the
/// worker; a stale handle is recognised by its generation. Layout of `raw`, from the top:
/// worker 8 bits, generation 24 bits, index 32 bits. Generation 0 is never handed out.
@frozen
public struct Handle<Kind>: Hashable, Sendable, BitwiseCopyable {
    /// The packed value; 0 is `none`.
    public let raw: UInt64

    @inlinable
    public init(raw: UInt64) { self.raw = raw }

    @inlinable
    public init(worker: UInt8, index: UInt32, generation: UInt32) {
        raw = UInt64(worker) << 56 | UInt64(generation & 0xff_ffff) << 32 | UInt64(index)
    }

    /// The handle of nothing.
    @inlinable
    public static var none: Handle { Handle(raw: 0) }

    @inlinable
    public var isNone: Bool { raw == 0 }

    /// The worker that owns the entry.
    @inlinable
    public var worker: Int { Int(truncatingIfNeeded: raw >> 56) }

    /// 24 bits, counted up each time the place is used again.
    @inlinable
    public var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) & 0xff_ffff }

    /// The place in the owner's table.
    @inlinable
    public var index: Int { Int(UInt32(truncatingIfNeeded: raw)) }
}

/// Marks handles of Sessions.
public enum SessionKind {}
/// Marks handles of Tracks.
public enum TrackKind {}
/// Marks handles of Slots.
public enum SlotKind {}
/// Marks handles of Taps.
public enum TapKind {}

/// Marks handles of Lanes.
public enum LaneKind {}
/// Marks handles of Crossings.
public enum CrossingKind {}

/// A pair of workers of two PoPs, as one of them sees it.
public typealias LaneHandle = Handle<LaneKind>
/// A Track that goes over a Lane: one of its Sinks.
public typealias CrossingHandle = Handle<CrossingKind>
/// One remote transport.
public typealias SessionHandle = Handle<SessionKind>
/// One published source, or its replica on another worker.
public typealias TrackHandle = Handle<TrackKind>
/// One receive m-line of a participant.
public typealias SlotHandle = Handle<SlotKind>
/// One Sink that a thread of control reads.
public typealias TapHandle = Handle<TapKind>

/// Marks handles of Allocations. The worker gives them out.
public enum AllocationKind {}
/// One TURN allocation.
public typealias AllocationHandle = Handle<AllocationKind>
