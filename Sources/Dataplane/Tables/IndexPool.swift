/// A slab of a fixed number of elements with a stack of the free indices.
struct IndexPool<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let free: UnsafeMutablePointer<UInt32>
    private(set) var freeCount: Int
    let capacity: Int

    static var stride: Int { (MemoryLayout<Element>.stride + 63) & ~63 }

    init(capacity: Int) {
        self.capacity = capacity
        base = LargeMemory.allocate(byteCount: max(capacity, 1) * Self.stride)
        free = .allocate(capacity: max(capacity, 1))
        // The first places are taken first.
        for index in 0..<capacity { free[index] = UInt32(capacity - 1 - index) }
        freeCount = capacity
    }

    deinit {
        base.deallocate()
        free.deallocate()
    }

    @inline(__always)
    subscript(index: UInt32) -> UnsafeMutablePointer<Element> {
        (base + Int(index) &* Self.stride).assumingMemoryBound(to: Element.self)
    }

    mutating func take() -> UInt32? {
        guard freeCount > 0 else { return nil }
        freeCount &-= 1
        return free[freeCount]
    }

    mutating func giveBack(_ index: UInt32) {
        free[freeCount] = index
        freeCount &+= 1
    }
}
