import Wire

/// The SRTP packets of a burst that are to be opened together, with their headers and Sessions.
struct PendingOpens: ~Copyable {
    struct Entry: BitwiseCopyable {
        var packet: Mbuf
        /// On the home worker's table; stays valid to the end of the turn.
        var session: UnsafeMutablePointer<Session>
        var header: RTPPacket
        /// Where it came from.
        var datagram: DatagramFrame
        /// From an address that no check came from yet.
        var isStray: Bool
    }

    static let capacity = 64

    let jobs: UnsafeMutablePointer<OpenJob>
    let entries: UnsafeMutablePointer<Entry>
    private(set) var count = 0

    init() {
        jobs = .allocate(capacity: Self.capacity)
        entries = .allocate(capacity: Self.capacity)
    }

    deinit {
        jobs.deallocate()
        entries.deallocate()
    }

    var isFull: Bool { count == Self.capacity }

    mutating func add(_ job: OpenJob, _ entry: Entry) {
        jobs[count] = job
        entries[count] = entry
        count &+= 1
    }

    mutating func removeAll() { count = 0 }
}
