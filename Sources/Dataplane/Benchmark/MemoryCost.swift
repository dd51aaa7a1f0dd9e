import Mailbox
import Wire

/// Work for benchmarks: a worker with full tables, for as long as the value lives. Whoever measures looks at the
/// process's memory before and while.
@_spi(Benchmark)
public struct MemoryCost: ~Copyable {
    public static let sinks = 10_000
    public static let sessions = 2_000
    public static let tracks = 2_000

    private var room: BenchmarkRoom<DPDKQueue>
    private let mesh: HandoverMesh

    /// Opens all of them by commands: each Session publishes a Track and has a share of the Sinks, mapped to the next
    /// one's Track.
    public init(port: borrowing DPDKPort) throws(PortFailure) {
        mesh = HandoverMesh(workers: 1)
        room = BenchmarkRoom(
            capacity: Capacity(sessions: Self.sessions, tracks: Self.tracks, slots: Self.sinks), mesh: mesh,
            pool: port.pool(ofWorker: 0), queue: port.queue(ofWorker: 0), mac: port.mac)
        for index in 0..<Self.sessions {
            let peer = BenchmarkPeer(index: index, mac: port.mac)
            try room.join(peer, profile: .aeadAes128Gcm)
            let source = BenchmarkSource(
                peer, number: index, media: .camera, profile: .aeadAes128Gcm, payloadLength: 1_100)
            room.command([.openTrack(source.openTrack)])
            for number in index * Self.sinks / Self.sessions..<(index + 1) * Self.sinks / Self.sessions {
                let slot = SlotHandle(worker: 0, index: UInt32(number), generation: 1)
                room.command([
                    source.openSlot(slot, of: peer.session),
                    .mapSlot(MapSlot(slot: slot, track: source.track, maxHeight: 720)),
                ])
            }
            source.deallocate()
        }
        let worker = room.worker
        guard worker.pointee.slots.count == Self.sinks, worker.pointee.tracks.count == Self.tracks else {
            throw PortFailure("the worker refused a Track or a Sink")
        }
    }

    deinit { mesh.deallocate() }

    /// What is known of a Session's path, and what waits for it to have room, takes of its worker's tables, bytes.
    public static var congestionBytesPerSession: Int {
        SessionCongestion.stride + BandwidthEstimator.memorySize
            + RepeatLog.depth * MemoryLayout<RepeatLog.Entry>.stride
    }

    /// Of all Sessions, without the log of repetitions.
    public static var congestionBytes: Int {
        sessions * (SessionCongestion.stride + BandwidthEstimator.memorySize)
    }

    /// What the retransmission caches' places take of it, bytes; packets are the pool's.
    public static var cacheBytes: Int {
        tracks * Track.maximumLayers * RetransmissionCache.depth * MemoryLayout<RetransmissionCache.Entry>.stride
    }
}
