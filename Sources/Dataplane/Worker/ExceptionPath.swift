/// The path to the kernel and back for frames that are not for the data plane: TCP to our addresses, BGP, ssh, neighbours.
///
/// The first worker owns the kernel's interface; the others hand it frames by ring. It has the lowest priority: a turn
/// whose burst was full leaves it waiting, up to `patience`, and no turn passes more than `burst` frames each way.
struct ExceptionPath<Queue: PortQueue & ~Copyable>: ~Copyable {
    /// Frames each way in one turn.
    static var burst: Int { 8 }
    /// Frames that may wait for the kernel.
    static var capacity: Int { 256 }
    /// How long busy turns may defer it, ns: BGP and ssh must keep working under overload.
    static var patience: UInt64 { 1_000_000 }

    /// The kernel's interface; nil on other workers, and where there is none.
    var queue: Queue?
    /// Whether there is an exception path at all.
    let isOpen: Bool
    /// Toward the kernel, before a ring or a queue is touched; and from it.
    var inbound: FrameAllowance
    var outbound: FrameAllowance
    var due: UInt64 = 0

    /// A ring: the oldest at `first`.
    private let waiting: UnsafeMutablePointer<Mbuf>
    private var first = 0
    private var count = 0
    let frames: UnsafeMutablePointer<Mbuf>

    /// `rate`: frames a second each way; 0 where there is no exception path.
    init(queue: consuming Queue?, rate: Int) {
        self.queue = queue
        isOpen = rate > 0
        inbound = FrameAllowance(rate: rate, burst: Self.capacity / 2)
        outbound = FrameAllowance(rate: rate, burst: Self.capacity / 2)
        waiting = .allocate(capacity: Self.capacity)
        frames = .allocate(capacity: Self.burst)
    }

    /// Frees what waits, and the memory; it is not used after it.
    mutating func shutDown() {
        for index in 0..<count { waiting[(first &+ index) % Self.capacity].free() }
        waiting.deallocate()
        frames.deallocate()
    }

    /// Takes over a frame for the kernel; false, and it stays the caller's, when too many wait.
    mutating func add(_ frame: Mbuf) -> Bool {
        guard count < Self.capacity else { return false }
        waiting[(first &+ count) % Self.capacity] = frame
        count &+= 1
        return true
    }

    /// The oldest frames into `frames`: how many.
    mutating func takeWaiting() -> Int {
        let taken = min(count, Self.burst)
        for index in 0..<taken { frames[index] = waiting[(first &+ index) % Self.capacity] }
        first = (first &+ taken) % Self.capacity
        count &-= taken
        return taken
    }
}
