/// The opened packets of one burst, gathered by Track until `Worker.distribute` sends them to the Sinks.
///
/// Each Slot is visited once for several packets of its Track: its state, its Session and its key (1 KiB of round keys and
/// hash powers with GCM) are loaded into the L1 cache once, and the payloads, which are as large but read sequentially,
/// are loaded again. The order of a Track's packets is kept; that between Tracks is not.
///
/// It holds no references of its own: the retransmission cache or the Outbox's list of retired packets keeps each packet
/// until the next `flush`, which distributes first.
struct FanOut: ~Copyable {
    /// Packets; more are distributed in between.
    static let capacity = 64

    private let packets: UnsafeMutablePointer<Mbuf>
    /// Of each packet: the next of its Track.
    private let links: UnsafeMutablePointer<UInt8>
    /// `trackCount` of them.
    let tracks: UnsafeMutablePointer<UnsafeMutablePointer<Track>>
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
    mutating func add(_ packet: Mbuf, layer: UInt8, to track: UnsafeMutablePointer<Track>) {
        let place = UInt8(truncatingIfNeeded: count)
        track.pointee.gatheredLayers |= 1 &<< layer
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

    /// Takes the packets of the Track at `place` (below `trackCount`) into `run`: the Track, the packets' layers by bits, and how
    /// many there are.
    @inline(__always)
    mutating func take(at place: Int) -> (track: UnsafeMutablePointer<Track>, layers: UInt8, count: Int) {
        let track = tracks[place]
        let layers = track.pointee.gatheredLayers
        track.pointee.gatheredLayers = 0
        var next = track.pointee.firstGathered
        track.pointee.firstGathered = Track.nothingGathered
        var count = 0
        while next != Track.nothingGathered {
            run[count] = packets[Int(next)]
            next = links[Int(next)]
            count &+= 1
        }
        return (track, layers, count)
    }

    /// After all were taken.
    mutating func removeAll() {
        count = 0
        trackCount = 0
    }
}
