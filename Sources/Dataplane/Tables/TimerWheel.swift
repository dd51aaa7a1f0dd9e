/// A hashed timing wheel (Varghese and Lauck 1987, scheme 6) of entity indices, each with at most one deadline.
/// Times are nanoseconds of the caller's clock; a deadline is exact, the tick only sizes the spokes.
struct TimerWheel: ~Copyable {
    private static var none: UInt32 { .max }

    /// An entity's place in the list of its spoke.
    private struct Node: BitwiseCopyable {
        var deadline: UInt64
        var next: UInt32
        var previous: UInt32
        /// `none` when the entity is not scheduled.
        var spoke: UInt32
    }

    private let nodes: UnsafeMutablePointer<Node>
    private let heads: UnsafeMutablePointer<UInt32>
    private let spokeMask: UInt64
    private let tick: UInt64
    /// The tick that `advance` looks at next.
    private var cursor: UInt64
    /// Entities have the indices `0..<capacity`.
    let capacity: Int
    private(set) var count = 0

    /// `spokes` is rounded up to a power of two; deadlines up to `spokes * tick` ahead are looked at once.
    init(capacity: Int, spokes: Int = 1_024, tick: UInt64 = 1_000_000, now: UInt64 = 0) {
        precondition(capacity > 0 && capacity < Int(UInt32.max) && spokes > 0 && tick > 0)
        var size = 1
        while size < spokes { size <<= 1 }
        nodes = .allocate(capacity: capacity)
        nodes.initialize(
            repeating: Node(deadline: 0, next: Self.none, previous: Self.none, spoke: Self.none), count: capacity)
        heads = .allocate(capacity: size)
        heads.initialize(repeating: Self.none, count: size)
        spokeMask = UInt64(size - 1)
        self.tick = tick
        cursor = now / tick
        self.capacity = capacity
    }

    deinit {
        nodes.deallocate()
        heads.deallocate()
    }

    func isScheduled(_ index: Int) -> Bool { nodes[index].spoke != Self.none }

    /// The entity's deadline, nil when it has none.
    func deadline(of index: Int) -> UInt64? { isScheduled(index) ? nodes[index].deadline : nil }

    /// Sets the entity's deadline, in place of an earlier one. One in the past is due at the next `advance`.
    mutating func schedule(_ index: Int, at deadline: UInt64) {
        cancel(index)
        // What is already due goes where `advance` looks next.
        let spoke = UInt32(truncatingIfNeeded: max(deadline / tick, cursor) & spokeMask)
        let head = heads[Int(spoke)]
        nodes[index] = Node(deadline: deadline, next: head, previous: Self.none, spoke: spoke)
        if head != Self.none { nodes[Int(head)].previous = UInt32(truncatingIfNeeded: index) }
        heads[Int(spoke)] = UInt32(truncatingIfNeeded: index)
        count += 1
    }

    /// Forgets the entity's deadline; nothing happens when it has none.
    mutating func cancel(_ index: Int) {
        let node = nodes[index]
        guard node.spoke != Self.none else { return }
        if node.previous == Self.none {
            heads[Int(node.spoke)] = node.next
        } else {
            nodes[Int(node.previous)].next = node.next
        }
        if node.next != Self.none { nodes[Int(node.next)].previous = node.previous }
        nodes[index].spoke = Self.none
        count -= 1
    }

    /// Takes entities whose deadline is at or before `now` out of the wheel and into `due`, in no order within a
    /// tick: how many. With `limit` reached, the next call goes on where this one stopped.
    mutating func advance(to now: UInt64, into due: UnsafeMutablePointer<UInt32>, limit: Int) -> Int {
        let last = now / tick
        guard count > 0 else {
            cursor = max(cursor, last)
            return 0
        }
        // After a long gap one turn of the wheel sees every entity.
        if last > cursor, last - cursor > spokeMask { cursor = last - spokeMask }
        var found = 0
        while cursor <= last {
            var index = heads[Int(cursor & spokeMask)]
            while index != Self.none {
                let next = nodes[Int(index)].next
                if nodes[Int(index)].deadline <= now {
                    guard found < limit else { return found }
                    cancel(Int(index))
                    due[found] = index
                    found += 1
                }
                index = next
            }
            // The current tick has deadlines yet to come: it is looked at again.
            if cursor == last { break }
            cursor += 1
        }
        return found
    }
}
