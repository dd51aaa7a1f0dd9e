import Wire

/// Packets of Lanes that are to be opened together.
struct LaneOpens: ~Copyable {
    struct Entry: BitwiseCopyable {
        var packet: Mbuf
        /// Both stay valid to the end of the turn.
        var lane: UnsafeMutablePointer<Lane>
        var track: UnsafeMutablePointer<Track>
        var header: RTPPacket
        var layer: UInt8
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
