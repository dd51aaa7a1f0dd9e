import Wire

/// The link addresses of the few neighbours that we send to (gateways, peers on the link): a small table of fixed
/// size that only our own requests add entries to, so that nobody can fill it with answers.
struct NeighborTable: ~Copyable {
    /// RFC 4861 section 10 (RETRANS_TIMER) and RFC 1122 section 2.3.2.1: at most one request a second.
    static var requestInterval: UInt64 { 1_000_000_000 }
    /// How long an entry is valid without another answer.
    static var lifetime: UInt64 { 60_000_000_000 }
    /// How long before its end an entry in use is asked for again.
    static var refreshBefore: UInt64 { 10_000_000_000 }
    /// How long an entry that nobody uses keeps its place.
    static var idleLifetime: UInt64 { 120_000_000_000 }

    private struct Entry: BitwiseCopyable {
        var address: IPAddress
        var mac: MACAddress
        /// Until when `mac` holds; 0 before the first answer.
        var expiry: UInt64
        var lastUse: UInt64
        var nextRequest: UInt64
        var isUsed: Bool
    }

    private let entries: UnsafeMutablePointer<Entry>
    let capacity: Int
    /// Whether the table holds a neighbour that was not solicited yet; packets to it are dropped meanwhile.
    private(set) var hasStranger = false

    init(capacity: Int = 64) {
        precondition(capacity > 0)
        self.capacity = capacity
        entries = .allocate(capacity: capacity)
        let empty = Entry(
            address: IPAddress(high: 0, low: 0), mac: .zero, expiry: 0, lastUse: 0, nextRequest: 0,
            isUsed: false)
        entries.initialize(repeating: empty, count: capacity)
    }

    deinit { entries.deallocate() }

    var count: Int {
        var used = 0
        for index in 0..<capacity where entries[index].isUsed { used += 1 }
        return used
    }

    /// The neighbour's link address, or nil while it is not known; the question gives it a place in the table, in
    /// place of the one longest unused when all are taken, and has it asked for by `nextRequest`.
    mutating func resolve(_ address: IPAddress, now: UInt64) -> MACAddress? {
        var victim = 0
        for index in 0..<capacity {
            let entry = entries + index
            if entry.pointee.isUsed && entry.pointee.address == address {
                entry.pointee.lastUse = now
                return entry.pointee.expiry > now ? entry.pointee.mac : nil
            }
            if !entries[victim].isUsed { continue }
            if !entry.pointee.isUsed || entry.pointee.lastUse < entries[victim].lastUse { victim = index }
        }
        entries[victim] = Entry(
            address: address, mac: .zero, expiry: 0, lastUse: now, nextRequest: now, isUsed: true)
        hasStranger = true
        return nil
    }

    /// Notes what a neighbour said of itself; false, and nothing changes, for one that nobody asked for
    /// (RFC 4861 section 7.2.5).
    mutating func learn(_ address: IPAddress, _ mac: MACAddress, now: UInt64) -> Bool {
        guard !mac.isMulticast, mac != .zero else { return false }
        for index in 0..<capacity where entries[index].isUsed && entries[index].address == address {
            entries[index].mac = mac
            entries[index].expiry = now &+ Self.lifetime
            entries[index].nextRequest = now &+ Self.lifetime &- Self.refreshBefore
            return true
        }
        return false
    }

    /// A neighbour whose turn it is to be asked for: unknown ones each `requestInterval`, known ones before they
    /// expire. Forgets those that nobody used for `idleLifetime`.
    mutating func nextRequest(now: UInt64) -> IPAddress? {
        for index in 0..<capacity where entries[index].isUsed && entries[index].nextRequest <= now {
            if now &- entries[index].lastUse > Self.idleLifetime {
                entries[index].isUsed = false
                continue
            }
            entries[index].nextRequest = now &+ Self.requestInterval
            return entries[index].address
        }
        hasStranger = false
        return nil
    }
}
