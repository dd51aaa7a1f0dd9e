/// The opened packets of one burst, gathered by Track until `Worker.distribute` sends them to the Sinks.
///
/// A Sink is visited once for some packets of its Track: its Slot, its Session and its key (1 KiB of round keys and hash
/// powers with GCM) come into the near cache once, and payloads, which are as large but read in sequence, are what has
/// to come again. The order among packets of a Track is kept; that of Tracks among each other is not.
///
/// It holds no references: the retransmission cache or the Outbox's list of retired packets keeps each packet until
/// the next `flush`, which distributes first.
struct FanOut: ~Copyable {
    /// Packets; more are distributed in between.
    static let capacity = 64

    private let packets: UnsafeMutablePointer<Mbuf>
    /// Of each packet: the next of its Track.
    private let links: UnsafeMutablePointer<UInt8>
    private let tracks: UnsafeMutablePointer<UnsafeMutablePointer<Track>>
    /// The packets of the Track that is distributed at present.
    let run: UnsafeMutablePointer<Mbuf>
    private var count = 0
    private(set) var trackCount = 0

    init() {
        packets = .allocate(capacity: Self.capacity)
        links = .allocate(capacity: Self.capacity)
        tracks = .allocate(capacity: Self.capacity)
        run = .allocate(capacity: Self.capacity)
    }

    deinit {
        packets.deallocate()
        links.deallocate()
        tracks.deallocate()
        run.deallocate()
    }

    var isFull: Bool { count == Self.capacity }

    /// Adds a packet; there is room.
    @inline(__always)
    mutating func add(_ packet: Mbuf, to track: UnsafeMutablePointer<Track>) {
        let place = UInt8(truncatingIfNeeded: count)
        packets[count] = packet
        links[count] = Track.nothingGathered
        count &+= 1
        if track.pointee.firstGathered == Track.nothingGathered {
            track.pointee.firstGathered = place
            tracks[trackCount] = track
            trackCount &+= 1
        } else {
            links[Int(track.pointee.lastGathered)] = place
        }
        track.pointee.lastGathered = place
    }

    /// The Track at `place`, below `trackCount`; its packets are in `run` after it: how many. It has none any more.
    @inline(__always)
    mutating func take(at place: Int) -> (track: UnsafeMutablePointer<Track>, count: Int) {
        let track = tracks[place]
        var next = track.pointee.firstGathered
        track.pointee.firstGathered = Track.nothingGathered
        var count = 0
        while next != Track.nothingGathered {
            run[count] = packets[Int(next)]
            next = links[Int(next)]
            count &+= 1
        }
        return (track, count)
    }

    /// After all were taken.
    mutating func removeAll() {
        count = 0
        trackCount = 0
    }
}
