/// A packet that feedback speaks of.
struct SentPacket: BitwiseCopyable {
    /// Microseconds modulo 2^32, 71 minutes.
    var time: UInt32 = 0
    var bytes: UInt16 = 0
    var kind: SentKind = .media
    /// The number's upper bits and what is known of the packet: see `SendHistory`.
    fileprivate var mark: UInt8 = 0
}

/// What was sent under the latest transport-wide sequence numbers of a Session.
struct SendHistory: BitwiseCopyable {
    /// Numbers that are remembered, a power of two: 0.8 s of packets of 1200 bytes at 12 Mbit/s.
    static let depth = 1_024
    static var memorySize: Int { depth * MemoryLayout<SentPacket>.stride }

    enum Finding {
        /// Nothing was sent under this number, or too long ago.
        case unknown
        /// Feedback has spoken of it before and says nothing new.
        case known
        /// `isLate`: it counted as lost.
        case found(SentPacket, isLate: Bool)
    }

    private static let unused: UInt8 = 0
    private static let inFlight: UInt8 = 1
    private static let lost: UInt8 = 2
    private static let received: UInt8 = 3

    /// `depth` entries in the worker's slab.
    private let entries: UnsafeMutablePointer<SentPacket>
    /// Bytes sent of which no feedback has spoken.
    private(set) var bytesInFlight = 0

    /// `memory`: `memorySize` bytes, aligned to 8, that the worker owns.
    init(memory: UnsafeMutableRawPointer) {
        entries = memory.bindMemory(to: SentPacket.self, capacity: Self.depth)
        entries.initialize(repeating: SentPacket(), count: Self.depth)
    }

    /// Of a number's entry in the memory, bytes.
    static func offset(of number: UInt16) -> Int {
        Int(number & UInt16(depth - 1)) &* MemoryLayout<SentPacket>.stride
    }

    private func place(_ number: UInt16) -> UnsafeMutablePointer<SentPacket> {
        entries + Int(number & UInt16(Self.depth - 1))
    }

    /// The number's bits above the place, and the state.
    private static func mark(_ number: UInt16, _ state: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: number >> 10) << 2 | state
    }

    mutating func note(_ number: UInt16, bytes: Int, kind: SentKind, now: UInt64) {
        let entry = place(number)
        if entry.pointee.mark & 3 == Self.inFlight { bytesInFlight &-= Int(entry.pointee.bytes) }
        entry.pointee = SentPacket(
            time: UInt32(truncatingIfNeeded: now / 1_000), bytes: UInt16(clamping: bytes), kind: kind,
            mark: Self.mark(number, Self.inFlight))
        bytesInFlight &+= Int(entry.pointee.bytes)
    }

    /// What was sent under the number of which feedback says that it came, or did not. What was lost may come after all.
    mutating func take(_ number: UInt16, isReceived: Bool) -> Finding {
        let entry = place(number)
        let state = entry.pointee.mark & 3
        guard state != Self.unused, entry.pointee.mark >> 2 == UInt8(truncatingIfNeeded: number >> 10) else {
            return .unknown
        }
        guard state == Self.inFlight || (state == Self.lost && isReceived) else { return .known }
        if state == Self.inFlight { bytesInFlight &-= Int(entry.pointee.bytes) }
        entry.pointee.mark = Self.mark(number, isReceived ? Self.received : Self.lost)
        return .found(entry.pointee, isLate: state == Self.lost)
    }
}
