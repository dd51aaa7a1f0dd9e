import Mailbox

/// A slab of a fixed number of elements that never move, found by handle. Control chooses the places; a handle
/// of an earlier generation finds nothing. Each element begins on a cache line.
struct HandleTable<Kind, Element: ~Copyable>: ~Copyable {
    private let base: UnsafeMutableRawPointer
    /// The handle (`raw`) in each place, 0 where it is empty.
    private let owners: UnsafeMutablePointer<UInt64>
    let capacity: Int
    private(set) var count = 0

    /// Bytes from one element to the next.
    @inline(__always)
    static var stride: Int { (MemoryLayout<Element>.stride + 63) & ~63 }

    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1 << 31 && MemoryLayout<Element>.alignment <= 64)
        self.capacity = capacity
        base = LargeMemory.allocate(byteCount: capacity * Self.stride)
        owners = .allocate(capacity: capacity)
        owners.initialize(repeating: 0, count: capacity)
    }

    deinit {
        for index in 0..<capacity where owners[index] != 0 { element(at: index).deinitialize(count: 1) }
        owners.deallocate()
        base.deallocate()
    }

    /// The element's place, or nil for a stale, foreign or empty handle. Valid until `remove`.
    @inline(__always)
    func find(_ handle: Handle<Kind>) -> UnsafeMutablePointer<Element>? {
        guard handle.index < capacity, handle.raw != 0, owners[handle.index] == handle.raw else { return nil }
        return element(at: handle.index)
    }

    /// Puts an element into the place that the handle names; false when that is taken or outside the table, or
    /// the handle's generation is 0.
    mutating func insert(_ handle: Handle<Kind>, _ element: consuming Element) -> Bool {
        guard let place = emplace(handle) else { return false }
        place.initialize(to: element)
        return true
    }

    /// As `insert`, for elements too large to pass about: the caller initialises the returned memory at once.
    mutating func emplace(_ handle: Handle<Kind>) -> UnsafeMutablePointer<Element>? {
        guard handle.index < capacity, handle.generation != 0, owners[handle.index] == 0 else { return nil }
        owners[handle.index] = handle.raw
        count += 1
        return element(at: handle.index)
    }

    /// Empties the place; false for a handle that finds nothing.
    mutating func remove(_ handle: Handle<Kind>) -> Bool {
        guard let place = find(handle) else { return false }
        place.deinitialize(count: 1)
        owners[handle.index] = 0
        count -= 1
        return true
    }

    /// The place at `index`, which the caller knows to be inside the table; initialised only when `handle(at:)`
    /// is not none.
    @inline(__always)
    func element(at index: Int) -> UnsafeMutablePointer<Element> {
        (base + index &* Self.stride).assumingMemoryBound(to: Element.self)
    }

    /// The handle of what lies at `index` (inside the table), or none.
    @inline(__always)
    func handle(at index: Int) -> Handle<Kind> { Handle(raw: owners[index]) }

    /// The first taken place in `start..<end`: for walks in bounded slices.
    func nextOccupied(from start: Int, before end: Int) -> Int? {
        var index = max(start, 0)
        let end = min(end, capacity)
        while index < end {
            if owners[index] != 0 { return index }
            index &+= 1
        }
        return nil
    }
}
