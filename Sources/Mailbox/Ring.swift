import Synchronization

/// A bounded ring from one producer thread to one consumer thread.
///
/// A handle: copies share the same memory, which its maker frees with `deallocate` when both threads are
/// done. The producer stages with `stage` and makes all staged elements visible at once with `commit`, so
/// a consumer never sees half of a change.
@frozen
public struct Ring<Element: BitwiseCopyable>: @unchecked Sendable {
    /// A cache line (64 bytes, and the neighbour that the prefetcher pairs with it) for each side.
    @usableFromInline
    static var stride: Int { 128 }

    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let elements: UnsafeMutablePointer<Element>
    @usableFromInline let mask: UInt64

    /// Written by the consumer.
    @inlinable @inline(__always)
    var head: UnsafeMutablePointer<Atomic<UInt64>> { base.assumingMemoryBound(to: Atomic<UInt64>.self) }

    /// Written by the producer at commit.
    @inlinable @inline(__always)
    var tail: UnsafeMutablePointer<Atomic<UInt64>> {
        (base + Self.stride).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The producer's own: the end of what is staged.
    @inlinable @inline(__always)
    var staged: UnsafeMutablePointer<UInt64> { (base + Self.stride + 8).assumingMemoryBound(to: UInt64.self) }

    /// Allocates a ring of at least `capacity` elements (rounded up to a power of two).
    public init(capacity: Int) {
        var size = 2
        while size < capacity { size <<= 1 }
        mask = UInt64(size - 1)
        base = .allocate(byteCount: 2 * Self.stride, alignment: Self.stride)
        elements =
            UnsafeMutableRawPointer
            .allocate(byteCount: size * MemoryLayout<Element>.stride, alignment: 64)
            .bindMemory(to: Element.self, capacity: size)
        head.initialize(to: Atomic(0))
        tail.initialize(to: Atomic(0))
        staged.initialize(to: 0)
    }

    public func deallocate() {
        base.deallocate()
        UnsafeMutableRawPointer(elements).deallocate()
    }

    /// How many elements fit.
    @inlinable
    public var capacity: Int { Int(mask) + 1 }

    /// How many committed elements wait. Either side may ask; exact for none.
    @inlinable
    public var count: Int {
        Int(tail.pointee.load(ordering: .acquiring) &- head.pointee.load(ordering: .acquiring))
    }

    /// Producer: how many elements were staged since the start.
    @inlinable
    public var total: UInt64 { staged.pointee }

    /// Producer: puts an element behind those staged; false when the ring is full.
    @inlinable
    public func stage(_ element: Element) -> Bool {
        let place = staged.pointee
        guard place &- head.pointee.load(ordering: .acquiring) <= mask else { return false }
        (elements + Int(place & mask)).initialize(to: element)
        staged.pointee = place &+ 1
        return true
    }

    /// Producer: makes all that is staged visible.
    @inlinable
    public func commit() {
        tail.pointee.store(staged.pointee, ordering: .releasing)
    }

    /// Producer: takes back all that is staged and not committed.
    @inlinable
    public func abandon() {
        staged.pointee = tail.pointee.load(ordering: .relaxed)
    }

    /// Producer: `stage` and `commit` of one element.
    @inlinable
    public func push(_ element: Element) -> Bool {
        guard stage(element) else { return false }
        commit()
        return true
    }

    /// Consumer: the oldest element.
    @inlinable
    public func pop() -> Element? {
        let place = head.pointee.load(ordering: .relaxed)
        guard place != tail.pointee.load(ordering: .acquiring) else { return nil }
        let element = elements[Int(place & mask)]
        head.pointee.store(place &+ 1, ordering: .releasing)
        return element
    }
}
