import Wire

/// Brings the packets of one stream into their order (RFC 3550 appendix A.1). What is missing is waited for, up to
/// `patience` behind a packet that came; then it is lost, and what follows goes on. Bounded by time and by packets.
struct ReorderBuffer {
    enum Arrival: Equatable {
        /// Under this number; before it those are missing that were not before, often none.
        case taken(UInt64, missing: Range<UInt64>)
        case duplicate
        /// Its turn is over: it was given up, or came twice.
        case late
        /// It is far from all others; it counts if the next one follows it.
        case strayed
        /// Such a next one: the sender counts from another number now. What was waiting comes out first.
        case restarted
    }

    enum Output: Equatable {
        case packet(CapturedPacket)
        /// So many packets in a row will not come.
        case lost(UInt64)
        /// What comes now is counted anew.
        case restart
    }

    /// Packets: more than 10 Mbit/s bring within `patience`.
    static let capacity = 1_024
    /// How long a missing packet is waited for, ns: some round trips of asking for it again.
    static let patience: UInt64 = 300_000_000
    /// The first packet to come need not be the first that was sent: so long nothing comes out, ns.
    static let beginning: UInt64 = 50_000_000
    /// A number so far ahead of the highest, or behind it, is of another count (RFC 3550 appendix A.1).
    static let farthest = 3_000

    private var ring = [CapturedPacket?](repeating: nil, count: capacity)
    /// The number whose turn it is; nil before the first packet.
    private var turn: UInt64?
    private var highest: UInt64 = 0
    private var waiting = 0
    private var stray: CapturedPacket?
    /// Until then one may come before the first, ns; nil when something came out.
    private var beginsUntil: UInt64?
    /// What came out before a restart, or because there was no room.
    private var ready: [Output] = []

    /// The number whose turn it is: what stands before it came, or is lost.
    var firstWanted: UInt64 { turn ?? 0 }

    mutating func insert(_ packet: RTPPacket, arrival: UInt64) -> Arrival {
        guard let turn else {
            // So far from 0 that a packet before the first has a number too.
            let first = 1 << 16 | UInt64(packet.sequence)
            begin(with: CapturedPacket(packet, sequence: first, arrival: arrival))
            return .taken(first, missing: first..<first)
        }
        let distance = SequenceNumber.distance(from: UInt16(truncatingIfNeeded: highest), to: packet.sequence)
        guard distance.magnitude <= Self.farthest,
            let sequence = SequenceNumber.extended(packet.sequence, near: highest)
        else { return noteStray(packet, arrival: arrival) }
        stray = nil
        let captured = CapturedPacket(packet, sequence: sequence, arrival: arrival)
        if beginsUntil != nil, sequence < turn, highest - sequence < UInt64(Self.capacity) {
            self.turn = sequence
            put(captured)
            return .taken(sequence, missing: sequence + 1..<turn)
        }
        guard sequence >= turn else { return .late }
        makeRoom(for: sequence)
        guard ring[Self.place(sequence)] == nil else { return .duplicate }
        put(captured)
        let missing = sequence > highest ? max(highest + 1, self.turn ?? 0)..<sequence : sequence..<sequence
        highest = max(highest, sequence)
        return .taken(sequence, missing: missing)
    }

    /// What is next in order. Call until nil.
    ///
    /// - Parameter now: the time, ns; `.max` to wait for nothing any more.
    mutating func next(now: UInt64) -> Output? {
        if !ready.isEmpty { return ready.removeFirst() }
        return advance(now: now)
    }

    /// When `next` will have something though nothing more comes; nil when nothing waits.
    var deadline: UInt64? {
        if let beginsUntil { return beginsUntil }
        guard waiting > 0, let turn, ring[Self.place(turn)] == nil, let (packet, _) = firstWaiting() else { return nil }
        return packet.arrival &+ Self.patience
    }

    private mutating func advance(now: UInt64) -> Output? {
        guard waiting > 0, let turn else { return nil }
        if let beginsUntil, now < beginsUntil { return nil }
        beginsUntil = nil
        if let packet = ring[Self.place(turn)] {
            ring[Self.place(turn)] = nil
            waiting -= 1
            self.turn = turn + 1
            return .packet(packet)
        }
        guard let (packet, missing) = firstWaiting(), now >= packet.arrival &+ Self.patience else { return nil }
        self.turn = packet.sequence
        return .lost(missing)
    }

    /// The first packet behind the hole, and how many are missing before it.
    private func firstWaiting() -> (packet: CapturedPacket, missing: UInt64)? {
        guard let turn, waiting > 0, turn <= highest else { return nil }
        for sequence in turn...highest {
            if let packet = ring[Self.place(sequence)] { return (packet, sequence - turn) }
        }
        return nil
    }

    private mutating func begin(with packet: CapturedPacket) {
        turn = packet.sequence
        highest = packet.sequence
        beginsUntil = packet.arrival &+ Self.beginning
        put(packet)
    }

    private mutating func put(_ packet: CapturedPacket) {
        ring[Self.place(packet.sequence)] = packet
        waiting += 1
    }

    /// Gives up what is missing until `sequence` has a place.
    private mutating func makeRoom(for sequence: UInt64) {
        while let turn, sequence - turn >= UInt64(Self.capacity) {
            if let output = advance(now: .max) {
                ready.append(output)
            } else {
                ready.append(.lost(sequence - turn))
                self.turn = sequence
            }
        }
    }

    private mutating func noteStray(_ packet: RTPPacket, arrival: UInt64) -> Arrival {
        guard let first = stray, UInt16(truncatingIfNeeded: first.sequence) &+ 1 == packet.sequence else {
            stray = CapturedPacket(packet, sequence: UInt64(packet.sequence), arrival: arrival)
            return .strayed
        }
        while let output = advance(now: .max) { ready.append(output) }
        ready.append(.restart)
        stray = nil
        var begin = first
        begin.sequence = 1 << 16 | first.sequence
        self.begin(with: begin)
        highest += 1
        put(CapturedPacket(packet, sequence: highest, arrival: arrival))
        return .restarted
    }

    private static func place(_ sequence: UInt64) -> Int { Int(truncatingIfNeeded: sequence) & (capacity - 1) }
}
