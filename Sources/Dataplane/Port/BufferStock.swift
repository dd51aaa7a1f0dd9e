/// Empty buffers taken from the pool in bursts, for a path that needs one after the other. One thread uses it.
struct BufferStock: ~Copyable {
    /// Buffers taken from the pool at once: the most that lie here unused.
    static let burst = 32

    private let buffers: UnsafeMutablePointer<Mbuf>
    private var count = 0

    init() { buffers = .allocate(capacity: Self.burst) }

    deinit {
        buffers.freeAll(count)
        buffers.deallocate()
    }

    /// One buffer of length 0; nil when the pool is empty.
    @inline(__always)
    mutating func take(from pool: BufferPool) -> Mbuf? {
        if count == 0 {
            guard refill(from: pool) else { return nil }
        }
        count &-= 1
        return buffers[count]
    }

    /// Returns the buffer that was taken last.
    @inline(__always)
    mutating func putBack(_ buffer: Mbuf) {
        buffers[count] = buffer
        count &+= 1
    }

    /// A burst, or what is left when the pool runs dry.
    @inline(never)
    private mutating func refill(from pool: BufferPool) -> Bool {
        if pool.allocate(into: buffers, count: Self.burst) {
            count = Self.burst
            return true
        }
        while count < Self.burst, let buffer = pool.allocate() {
            buffers[count] = buffer
            count &+= 1
        }
        return count > 0
    }

    /// Gives all back to the pool.
    mutating func empty() {
        buffers.freeAll(count)
        count = 0
    }
}
