/// Opens a Tap: a Sink that hands the Track's opened packets to a thread of the control process.
///
/// It ends with `Command.closeTap`, or with its Track, and is then reported by `Event.tapClosed`.
@frozen
public struct OpenTap: Sendable, BitwiseCopyable {
    public var tap: TapHandle
    /// On the same worker: the source, or its replica.
    public var track: TrackHandle
    /// What is handed over; of video each Layer is asked for a keyframe when the Tap is opened.
    public var layers: LayerSet
    /// The thread that reads it: a place in `WorkerMailbox.taps`.
    public var reader: UInt8

    @inlinable
    public init(tap: TapHandle, track: TrackHandle, layers: LayerSet, reader: UInt8) {
        self.tap = tap
        self.track = track
        self.layers = layers
        self.reader = reader
    }
}

/// A packet of a Track by reference. Its payload stays where it was received until the reader gives the packet back;
/// other Sinks read it at the same time, so nobody writes to it.
@frozen
public struct TapPacket: BitwiseCopyable, @unchecked Sendable {
    /// Whose packet it is. Packets of a Tap that was closed meanwhile may still come out of the ring.
    public let tap: TapHandle
    /// The worker's reference to the packet buffer.
    public let reference: OpaquePointer
    /// The RTP payload in clear.
    public let payload: UnsafeRawPointer
    /// Bytes of the payload.
    public let payloadLength: UInt16
    public let layer: UInt8
    /// RFC 6464: bit 7 voice activity, the rest -dBov; 0xff where the publisher does not say.
    public let audioLevel: UInt8
    /// The publisher's RTP timestamp.
    public let timestamp: UInt32
    /// The publisher's sequence number with its roll-overs; each SSRC of a Layer has a range of 2^48 numbers of its own.
    public let sequence: UInt64
    /// When it came in, ns of the worker's clock.
    public let arrival: UInt64
    public let marker: Bool
    /// A decoder can start here.
    public let startsKeyframe: Bool

    @inlinable
    public init(
        tap: TapHandle, reference: OpaquePointer, payload: UnsafeRawPointer, payloadLength: UInt16, layer: UInt8,
        audioLevel: UInt8, timestamp: UInt32, sequence: UInt64, arrival: UInt64, marker: Bool, startsKeyframe: Bool
    ) {
        self.tap = tap
        self.reference = reference
        self.payload = payload
        self.payloadLength = payloadLength
        self.layer = layer
        self.audioLevel = audioLevel
        self.timestamp = timestamp
        self.sequence = sequence
        self.arrival = arrival
        self.marker = marker
        self.startsKeyframe = startsKeyframe
    }

    /// The RTP payload in clear.
    @inlinable
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: payload, count: Int(payloadLength)) }
}

/// The rings between one worker and one thread of control that reads Taps: packets there, references back.
///
/// The worker hands over no more than `capacity` packets before some come back, so a reader that falls behind holds a
/// bounded number of packet buffers; what it misses is counted (`DropReason.tapFull`). The reader gives back all that it
/// took before the worker shuts down.
public struct TapRings: Sendable, BitwiseCopyable {
    /// Worker to reader.
    public let packets: Ring<TapPacket>
    /// Reader to worker, which alone frees packet buffers.
    public let returns: Ring<OpaquePointer>

    /// For at least `capacity` packets that the reader has not given back.
    public init(capacity: Int = 1_024) {
        packets = Ring(capacity: capacity)
        returns = Ring(capacity: capacity)
    }

    /// Packets that the reader may hold, those in the ring included.
    public var capacity: Int { packets.capacity }

    /// Reader: the next packet, which it gives back once.
    public func take() -> TapPacket? { packets.pop() }

    /// Reader: it reads no more of `packet`.
    public func giveBack(_ packet: TapPacket) {
        // Both rings have the same size, and no more packets than that are out.
        let hasRoom = returns.push(packet.reference)
        precondition(hasRoom, "a packet was given back twice")
    }

    public func deallocate() {
        packets.deallocate()
        returns.deallocate()
    }
}

/// The rings of all threads that read one worker's Taps: a fixed number, made before the worker starts.
///
/// A handle: copies share the same memory, which its maker frees with `deallocate`.
@frozen
public struct TapReaders: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let rings: UnsafeMutablePointer<TapRings>?
    public let count: Int

    /// For `count` threads, each with room for `capacity` packets.
    public init(count: Int = 0, capacity: Int = 1_024) {
        self.count = count
        rings = count > 0 ? .allocate(capacity: count) : nil
        for index in 0..<count {
            rings.unsafelyUnwrapped.advanced(by: index).initialize(to: TapRings(capacity: capacity))
        }
    }

    public func deallocate() {
        for index in 0..<count { self[index].deallocate() }
        rings?.deallocate()
    }

    /// `index` is below `count`.
    public subscript(index: Int) -> TapRings {
        precondition(index >= 0 && index < count)
        return rings.unsafelyUnwrapped[index]
    }
}
