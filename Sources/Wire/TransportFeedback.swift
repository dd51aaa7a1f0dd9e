/// What transport-wide feedback says of one packet.
@frozen
public struct TransportFeedbackStatus: Sendable, Equatable, BitwiseCopyable {
    /// The transport-wide sequence number.
    public var sequence: UInt16
    public var isReceived: Bool
    /// Since the packet received before it in this feedback, or since the reference time for the first; 250 us.
    /// 0 when it was not received.
    public var delta: Int32

    @inlinable
    public init(sequence: UInt16, isReceived: Bool, delta: Int32) {
        self.sequence = sequence
        self.isReceived = isReceived
        self.delta = delta
    }
}

/// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01
/// section 3.1). `init?` walks chunks and deltas once and proves that they fit.
@frozen
public struct TransportFeedback: BitwiseCopyable {
    public let bytes: UnsafeRawBufferPointer
    /// Where the receive deltas start.
    public let deltaOffset: Int
    /// Packets that were received.
    public let receivedCount: Int

    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.transportFeedback, packet.format == 15, packet.bytes.count >= 20 else {
            return nil
        }
        bytes = packet.bytes
        var chunks = TransportFeedbackChunks(bytes: packet.bytes)
        var deltas = 0
        var received = 0
        for _ in 0..<Int(packet.base.be16(14)) {
            guard let symbol = chunks.next() else { return nil }
            deltas &+= Int(symbol)
            received &+= symbol == 0 ? 0 : 1
        }
        guard chunks.offset &+ deltas <= bytes.count else { return nil }
        deltaOffset = chunks.offset
        receivedCount = received
    }

    /// How many statuses a packet says that it has, before any of them is looked at; 0 where it is no feedback.
    @inlinable
    public static func statusCount(of packet: RTCPPacket) -> UInt16 {
        packet.format == 15 && packet.bytes.count >= 20 ? packet.base.be16(14) : 0
    }

    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
    @inlinable public var senderSSRC: UInt32 { base.be32(4) }
    @inlinable public var mediaSSRC: UInt32 { base.be32(8) }
    @inlinable public var baseSequence: UInt16 { base.be16(12) }
    @inlinable public var statusCount: Int { Int(base.be16(14)) }
    /// Signed 24 bits, units of 64 ms (256 deltas).
    @inlinable public var referenceTime: Int32 { Int32(bitPattern: base.be24(16) << 8) >> 8 }
    /// Counts the feedback packets, modulo 256.
    @inlinable public var feedbackCount: UInt8 { base.u8(19) }
    /// One for each packet from `baseSequence` on.
    @inlinable public var statuses: TransportFeedbackStatuses { TransportFeedbackStatuses(self) }
}

/// Walks the packet chunks: run lengths and status vectors (section 3.1.3 and 3.1.4 of the draft).
@frozen
@usableFromInline
struct TransportFeedbackChunks: BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var offset: Int
    /// Symbols of two bits that are still to come, the next one highest; of a run there is one.
    @usableFromInline var symbols: UInt32 = 0
    @usableFromInline var remaining = 0
    @usableFromInline var isRun = false

    @inlinable
    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 20
    }

    /// The bytes of the next packet's delta, 0 when it was not received; nil when the chunks end.
    @inlinable
    mutating func next() -> UInt8? {
        while remaining == 0 {
            guard offset &+ 2 <= bytes.count, let base = bytes.baseAddress else { return nil }
            load(base.be16(offset))
            offset &+= 2
        }
        remaining &-= 1
        let symbol = UInt8(truncatingIfNeeded: symbols >> 30)
        if !isRun { symbols <<= 2 }
        // 3 is reserved; nobody sends it, and no delta belongs to it.
        return symbol == 3 ? 0 : symbol
    }

    @inlinable
    mutating func load(_ chunk: UInt16) {
        isRun = chunk & 0x8000 == 0
        if isRun {
            symbols = UInt32(chunk & 0x6000) << 17
            remaining = Int(chunk & 0x1fff)
        } else if chunk & 0x4000 != 0 {
            symbols = UInt32(chunk & 0x3fff) << 18
            remaining = 7
        } else {
            // One bit a symbol: spread 14 bits to 28.
            var spread = UInt32(chunk & 0x3fff)
            spread = (spread | spread << 8) & 0x00ff_00ff
            spread = (spread | spread << 4) & 0x0f0f_0f0f
            spread = (spread | spread << 2) & 0x3333_3333
            spread = (spread | spread << 1) & 0x5555_5555
            symbols = spread << 4
            remaining = 14
        }
    }
}

/// The statuses of a feedback packet, in order of sequence.
@frozen
public struct TransportFeedbackStatuses: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline var chunks: TransportFeedbackChunks
    @usableFromInline var deltaOffset: Int
    @usableFromInline var sequence: UInt16
    @usableFromInline var remaining: Int

    @inlinable
    init(_ feedback: TransportFeedback) {
        chunks = TransportFeedbackChunks(bytes: feedback.bytes)
        deltaOffset = feedback.deltaOffset
        sequence = feedback.baseSequence
        remaining = feedback.statusCount
    }

    @inlinable
    public mutating func next() -> TransportFeedbackStatus? {
        guard remaining > 0, let symbol = chunks.next(), let base = chunks.bytes.baseAddress else { return nil }
        remaining &-= 1
        let current = sequence
        sequence &+= 1
        var delta: Int32 = 0
        if symbol == 1 {
            delta = Int32(base.u8(deltaOffset))
        } else if symbol == 2 {
            delta = Int32(Int16(bitPattern: base.be16(deltaOffset)))
        }
        deltaOffset &+= Int(symbol)
        return TransportFeedbackStatus(sequence: current, isReceived: symbol != 0, delta: delta)
    }
}
