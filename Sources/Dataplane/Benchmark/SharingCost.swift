import Mailbox
import Wire

/// Work for benchmarks: viewers of many tiles each, whose bitrates are shared again and again, while what the tiles' layers
/// take changes so much that other layers fit each time.
@_spi(Benchmark)
public struct SharingCost: ~Copyable {
    public static let viewers = 1_000
    public static let tiles = 25
    private static let tracks = 100
    /// Of each layer, kbit/s: what there is before anything was measured is for a few tiles of the second one.
    private static let rates: [UInt16] = [2, 6, 20]

    private var room: BenchmarkRoom<DPDKQueue>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var sessions: [SessionHandle] = []
    private var rounds = 0

    /// A worker with all of them, each of which sends feedback.
    public init(port: borrowing DPDKPort) throws(PortFailure) {
        mesh = HandoverMesh(workers: 1)
        room = BenchmarkRoom(
            capacity: Capacity(
                sessions: Self.viewers, tracks: Self.tracks, slots: Self.viewers * Self.tiles),
            mesh: mesh, pool: port.pool(ofWorker: 0), queue: port.queue(ofWorker: 0), mac: port.mac)
        try setUp(mac: port.mac)
    }

    deinit { mesh.deallocate() }

    private mutating func setUp(mac: MACAddress) throws(PortFailure) {
        let peers = (0..<Self.viewers).map { BenchmarkPeer(index: $0, mac: mac) }
        for peer in peers { try room.join(peer, profile: .aeadAes128Gcm) }
        var layers = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        for index in 0..<3 { layers[index].ssrc = UInt32(index) + 1 }
        for number in 0..<Self.tracks {
            for index in 0..<3 { layers[index].ssrc &+= 3 }
            room.command([
                .openTrack(
                    OpenTrack(
                        track: track(number), source: .session(peers[number].session), mid: ShortText(), kind: .video,
                        codec: .vp8, payloadTypes: PayloadTypes(media: 96, rtx: 97), layers: layers, layerCount: 3))
            ])
        }
        var types = PayloadTypeMap()
        types[.vp8] = PayloadTypes(media: BenchmarkSource.cameraPayloadType, rtx: 121)
        for (viewer, peer) in peers.enumerated() {
            for tile in 0..<Self.tiles {
                let index = UInt32(viewer * Self.tiles + tile)
                let slot = SlotHandle(worker: 0, index: index, generation: 1)
                let ssrc = BenchmarkSource.firstSlotSsrc + index * 2
                room.command([
                    .openSlot(
                        OpenSlot(
                            slot: slot, session: peer.session, kind: .video, mid: ShortText(), ssrc: ssrc,
                            rtxSsrc: ssrc + 1, payloadTypes: types)),
                    .mapSlot(MapSlot(slot: slot, track: track((viewer + tile) % Self.tracks), maxHeight: 360)),
                ])
            }
        }
        sessions = peers.map(\.session)
        layTemporalLayers()
        try hear()
    }

    /// Each layer has three temporal ones, as browsers encode.
    private func layTemporalLayers() {
        for number in 0..<Self.tracks {
            guard let track = room.worker.pointee.tracks.find(track(number)) else { continue }
            for layer in 0..<3 {
                // Of two windows; in a third nothing comes, so that what is told counts.
                for second in [1, 2, 3] as [UInt64] {
                    if second < 3 {
                        for (id, bytes) in [600, 200, 200].enumerated() {
                            track.pointee.layers[layer].rate.note(
                                payload: UInt16(bytes), of: TemporalLayer(UInt8(id)))
                        }
                    }
                    track.pointee.layers[layer].rate.tick(now: second * 1_000_000_000)
                }
            }
        }
    }

    private func track(_ number: Int) -> TrackHandle {
        TrackHandle(worker: 0, index: UInt32(number), generation: 1)
    }

    /// A first feedback of everybody's, of a packet that nobody sent.
    private mutating func hear() throws(PortFailure) {
        var bytes = [UInt8](repeating: 0, count: 256)
        let (worker, now) = (room.worker, room.now)
        let heard = bytes.withUnsafeMutableBytes { memory -> Int in
            var writer = RTCPWriter(into: memory)
            let arrivals: [Int64] = [1]
            _ = arrivals.withUnsafeBufferPointer {
                writer.addTransportFeedback(
                    senderSSRC: 1, mediaSSRC: 1, baseSequence: 1, feedbackCount: 0, arrivals: $0)
            }
            var compound = RTCPCompound(UnsafeRawBufferPointer(rebasing: memory[..<writer.count]))
            guard let part = compound.next() else { return 0 }
            for handle in sessions {
                guard let session = worker.pointee.sessions.find(handle) else { continue }
                worker.pointee.noteTransportFeedback(part, session: session, now: now)
            }
            return sessions.count { worker.pointee.sessions.find($0)?.pointee.congestion?.pointee.isHeard == true }
        }
        guard heard == Self.viewers else { throw PortFailure("of \(Self.viewers) viewers the worker heard \(heard)") }
    }

    /// Shares everybody's bitrates once: how long that took, and how many Slots were granted something else.
    public mutating func round() -> (cycles: UInt64, sharings: Int, changes: Int) {
        rounds += 1
        // What was measured last counts from the next look on.
        let factor: UInt16 = rounds.isMultiple(of: 2) ? 2 : 1
        let worker = room.worker
        for number in 0..<Self.tracks {
            guard let track = worker.pointee.tracks.find(track(number)) else { continue }
            for layer in 0..<3 { track.pointee.layers[layer].rate.note(told: Self.rates[layer] * factor) }
        }
        let before = grants
        // Longer than the longest pause after something failed.
        room.now &+= 20_000_000_000
        let now = room.now
        let began = clock.cycles()
        for handle in sessions {
            guard let session = worker.pointee.sessions.find(handle) else { continue }
            worker.pointee.shareBitrates(of: session, now: now)
        }
        let cycles = clock.cycles() &- began
        room.forgetEvents()
        let changes = zip(before, grants).count { $0 != $1 }
        return (cycles, Self.viewers, changes)
    }

    private var grants: [LayerGrant] {
        (0..<Self.viewers * Self.tiles).map { room.worker.pointee.slots.element(at: $0).pointee.grant }
    }
}
