import Wire

/// What a worker tells control. A full ring drops an event and counts it; none of them is needed to keep
/// media flowing.
@frozen
public enum Event: Sendable, BitwiseCopyable {
    /// The first authenticated ICE check: DTLS may begin.
    case sessionValidated(SessionHandle, remote: Endpoint)
    /// The peer nominated another pair, or its NAT gave it another address.
    case sessionMoved(SessionHandle, remote: Endpoint)
    /// 30 s without an authenticated check (RFC 7675 section 5.1).
    case sessionExpired(SessionHandle)
    case sessionClosed(SessionHandle)
    /// The first packet of a layer came in.
    case layerStarted(TrackHandle, layer: UInt8)
    case trackClosed(TrackHandle)
    case slotClosed(SlotHandle)
    case tapClosed(TapHandle)
    /// The Layers of a publisher's video Track that any Sink wants, here or behind another worker. Told when they change,
    /// beginning from none: an addition at once, what nobody wants any more after a second.
    case layersWanted(TrackHandle, LayerSet)
    /// A Slot now shows this layer of this Track.
    case slotSwitched(SlotHandle, track: TrackHandle, layer: UInt8)
    /// The Track's smoothed loudness, -dBov (0 loudest, 127 silence; RFC 6464 section 3), about 5 a second while
    /// there is sound, and once when it falls silent.
    case audioLevel(TrackHandle, level: UInt8)
}

/// A datagram between a Session's peer and its agent on the slow path (DTLS), copied: handshakes are rare.
@frozen
public struct Datagram: Sendable, BitwiseCopyable {
    /// The largest UDP payload that a 1500-byte link carries.
    public static var capacity: Int { 1472 }

    public var session: SessionHandle
    public var count: UInt16
    public var bytes: InlineArray<1472, UInt8>

    @inlinable
    public init(session: SessionHandle) {
        self.session = session
        count = 0
        bytes = InlineArray(repeating: 0)
    }
}

extension Datagram {
    /// Takes a copy of `source`, cut to `capacity`.
    @inlinable
    public mutating func fill(_ source: UnsafeRawBufferPointer) {
        let length = min(source.count, Self.capacity)
        count = UInt16(truncatingIfNeeded: length)
        withUnsafeMutableBytes(of: &bytes) { room in
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(length)))
        }
    }

    /// Copies the payload to `memory`, which has room for it.
    @inlinable
    public func copy(to memory: UnsafeMutableRawPointer) {
        withUnsafeBytes(of: bytes) { content in
            memory.copyMemory(from: content.baseAddress.unsafelyUnwrapped, byteCount: min(Int(count), content.count))
        }
    }
}
