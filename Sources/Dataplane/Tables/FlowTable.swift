import CDPDK
import Wire

/// The key of a transport at one worker: the remote address and port, and our own port.
struct FlowKey: Hashable, BitwiseCopyable {
    var remote: Endpoint
    var localPort: UInt16

    @inline(__always)
    init(remote: Endpoint, localPort: UInt16) {
        self.remote = remote
        self.localPort = localPort
    }

    @inline(__always)
    var ports: UInt32 { UInt32(remote.port) << 16 | UInt32(localPort) }
}

/// Finds a value (a packed handle) by 5-tuple: open addressing with linear probes at no more than half load, and
/// backward-shift deletion, so that there are no tombstones and lookups stay fast over time.
///
/// The capacity is fixed: a full table refuses new keys. The hash is keyed with `seed`.
struct FlowTable: ~Copyable {
    /// Two to a cache line.
    private struct Entry: BitwiseCopyable {
        var high: UInt64
        var low: UInt64
        var ports: UInt32
        /// The low half of the hash; 0 marks an empty place.
        var tag: UInt32
        var value: UInt64
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let mask: UInt32
    private let hasher: SipHash
    let capacity: Int
    private(set) var count = 0

    init(capacity: Int, seed: (UInt64, UInt64)) {
        precondition(capacity > 0 && capacity <= 1 << 30)
        var places = 8
        while places < capacity * 2 { places <<= 1 }
        entries = LargeMemory.allocate(byteCount: places * MemoryLayout<Entry>.stride)
            .bindMemory(to: Entry.self, capacity: places)
        entries.initialize(repeating: Entry(high: 0, low: 0, ports: 0, tag: 0, value: 0), count: places)
        mask = UInt32(places - 1)
        hasher = SipHash(seed: seed)
        self.capacity = capacity
    }

    deinit { UnsafeMutableRawPointer(entries).deallocate() }

    @inline(__always)
    var isFull: Bool { count == capacity }

    /// For `find` and `prefetch` of a burst: hash all first, then look up.
    @inline(__always)
    func hash(_ key: FlowKey) -> UInt64 {
        hasher.hash(key.remote.address.high, key.remote.address.low, UInt64(key.ports))
    }

    /// Asks the cache for the place where `find` will look first.
    @inline(__always)
    func prefetch(_ hash: UInt64) { cpu_prefetch(entries + Int(Self.tag(hash) & mask)) }

    @inline(__always)
    func find(_ key: FlowKey) -> UInt64? { find(key, hash: hash(key)) }

    @inline(__always)
    func find(_ key: FlowKey, hash: UInt64) -> UInt64? {
        let place = place(of: key, tag: Self.tag(hash))
        return entries[place].tag == 0 ? nil : entries[place].value
    }

    /// Adds the key or replaces its value; false when it is new and the table is full.
    mutating func insert(_ key: FlowKey, _ value: UInt64) -> Bool {
        let tag = Self.tag(hash(key))
        let place = place(of: key, tag: tag)
        if entries[place].tag == 0 {
            guard count < capacity else { return false }
            count += 1
        }
        entries[place] = Entry(
            high: key.remote.address.high, low: key.remote.address.low, ports: key.ports, tag: tag, value: value)
        return true
    }

    /// Takes the key out and returns its value; nil when it is not in the table.
    mutating func remove(_ key: FlowKey) -> UInt64? {
        var hole = UInt32(place(of: key, tag: Self.tag(hash(key))))
        guard entries[Int(hole)].tag != 0 else { return nil }
        let value = entries[Int(hole)].value
        var next = (hole &+ 1) & mask
        while entries[Int(next)].tag != 0 {
            // An entry may move back to the hole unless its home lies behind the hole.
            let distance = (next &- entries[Int(next)].tag) & mask
            if distance >= (next &- hole) & mask {
                entries[Int(hole)] = entries[Int(next)]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        entries[Int(hole)].tag = 0
        count -= 1
        return value
    }

    /// The place of the key, or the empty one where it would go.
    @inline(__always)
    private func place(of key: FlowKey, tag: UInt32) -> Int {
        var place = tag & mask
        while true {
            let entry = entries + Int(place)
            if entry.pointee.tag == 0 { return Int(place) }
            if entry.pointee.tag == tag && entry.pointee.low == key.remote.address.low
                && entry.pointee.ports == key.ports && entry.pointee.high == key.remote.address.high
            {
                return Int(place)
            }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt32 {
        let tag = UInt32(truncatingIfNeeded: hash)
        return tag == 0 ? 1 : tag
    }
}
