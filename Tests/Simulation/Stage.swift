import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Sources and Slots of a simulated meeting.
struct Camera {
    let peer: Peer
    let track: TrackHandle
    let ssrcs: [UInt32]
    fileprivate var next: [UInt64]
    fileprivate var timestamp: UInt32 = 90_000
    private var picture: UInt16 = 0x7ff0
    private var temporal: UInt8 = 250

    static let payloadType: UInt8 = 96
    static let rtxType: UInt8 = 97
    static let heights: [UInt16] = [180, 360, 720]
    /// Its pictures are smaller by so much, as a browser makes them that has too little time or bandwidth.
    var reduction: UInt16 = 1

    /// Publishes VP8 in `layers` layers; with `names` the layers have rids, without them SSRCs.
    init(
        _ peer: Peer, index: UInt32, layers: Int = 1, names: Bool = false, feedback: PublisherFeedback = .all
    ) {
        self.peer = peer
        let world = peer.world
        track = TrackHandle(worker: UInt8(peer.worker), index: index, generation: world.nextGeneration())
        let base = 10_000 + index * 100
        ssrcs = (0..<layers).map { base + UInt32($0) }
        next = (0..<layers).map { UInt64(65_500 + $0 * 7) }
        let all = ssrcs
        let descriptions = InlineArray<3, LayerDescription> { layer in
            guard layer < layers else { return LayerDescription() }
            return names
                ? LayerDescription(rid: ShortText(["q", "h", "f"][layer])!)
                : LayerDescription(ssrc: all[layer], rtxSsrc: all[layer] + 50)
        }
        for ssrc in ssrcs { peer.retransmission[ssrc] = (ssrc + 50, Self.rtxType) }
        world.command(
            peer.worker,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(peer.session), mid: ShortText("v\(index)")!, kind: .video,
                    codec: .vp8,
                    payloadTypes: PayloadTypes(media: Self.payloadType, rtx: Self.rtxType), feedback: feedback,
                    layers: descriptions, layerCount: UInt8(layers))))
    }

    /// Sends a frame of `packets` packets in every layer (or some); each payload says layer, picture and packet.
    mutating func frame(
        keyframe: Bool = false, packets: Int = 3, layers: Range<Int>? = nil, active: LayerSet = .below(3),
        mid: String? = nil, rids: Bool = false,
        loses: (Int) -> Bool = { _ in false }
    ) {
        timestamp &+= 3_000
        picture = (picture + 1) & 0x7fff
        temporal &+= 1
        for layer in layers ?? 0..<ssrcs.count where active.contains(UInt8(layer)) {
            for packet in 0..<packets {
                let first = packet == 0
                var payload: [UInt8] = [
                    first ? 0x90 : 0x80, 0xc0, 0x80 | UInt8(picture >> 8), UInt8(picture & 0xff), temporal,
                ]
                if first {
                    let height = Self.heights[3 - ssrcs.count + layer] / reduction
                    payload += [keyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01]
                    payload += [UInt8(height & 0xff), UInt8(height >> 8)]
                }
                payload += [UInt8(layer), UInt8(packet), UInt8(picture & 0xff)]
                payload += [UInt8](repeating: 0xaa, count: 100)
                peer.sendRTP(
                    ssrc: ssrcs[layer], payloadType: Self.payloadType, index: next[layer], timestamp: timestamp,
                    marker: packet == packets - 1, payload: payload, mid: mid,
                    rid: rids ? ["q", "h", "f"][layer] : nil, loses: loses(packet))
                next[layer] += 1
            }
        }
    }
}

extension Camera {
    /// Sends a packet of padding alone, as encoders do that probe on a layer.
    mutating func pad(layer: Int) {
        peer.sendRTP(
            ssrc: ssrcs[layer], payloadType: Self.payloadType, index: next[layer], timestamp: timestamp, payload: [],
            padding: 100)
        next[layer] += 1
    }
}

/// Opens a Slot of `peer` for video (or audio) and returns its handle and SSRC.
func openSlot(_ peer: Peer, index: UInt32, kind: MediaKind = .video, rtx: Bool = true, red: Bool = false) -> (
    SlotHandle, UInt32
) {
    let slot = SlotHandle(worker: UInt8(peer.worker), index: index, generation: peer.world.nextGeneration())
    let ssrc = 500_000 + index * 10
    var types = PayloadTypeMap()
    types[.vp8] = PayloadTypes(media: 120, rtx: rtx ? 121 : 0xff)
    types[.opus] = PayloadTypes(media: 109, red: red ? Peer.redundantType : 0xff)
    if rtx { peer.repairs[ssrc + 1] = ssrc }
    peer.world.command(
        peer.worker,
        .openSlot(
            OpenSlot(
                slot: slot, session: peer.session, kind: kind, mid: ShortText("s\(index)")!, ssrc: ssrc,
                rtxSsrc: rtx ? ssrc + 1 : 0, payloadTypes: types)))
    return (slot, ssrc)
}

/// Two peers on given workers with a camera and a Slot that shows it.
func pair(
    _ world: World, workers: (Int, Int) = (0, 0), profile: SRTPProfile = .aeadAes128Gcm, layers: Int = 1,
    maxHeight: UInt16 = 720, names: Bool = false, rtx: Bool = true, feedback: PublisherFeedback = .all
) -> (camera: Camera, viewer: Peer, slot: SlotHandle, ssrc: UInt32) {
    let publisher = Peer(
        world, worker: workers.0, index: 1, profile: profile, extensions: Peer.numberedExtensions)
    let viewer = Peer(world, worker: workers.1, index: 2, profile: profile)
    let camera = Camera(publisher, index: 1, layers: layers, names: names, feedback: feedback)
    let (slot, ssrc) = openSlot(viewer, index: 1, rtx: rtx)
    var source = camera.track
    if workers.0 != workers.1 {
        let replica = TrackHandle(worker: UInt8(workers.1), index: 9, generation: world.nextGeneration())
        world.command(
            workers.1,
            .openTrack(
                OpenTrack(
                    track: replica, source: .sibling(camera.track), mid: ShortText(), kind: .video,
                    codec: .vp8, payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()),
                    layerCount: UInt8(layers))))
        world.run(3)
        world.command(workers.0, .feed(camera.track, replica: replica))
        source = replica
    }
    world.command(workers.1, .mapSlot(MapSlot(slot: slot, track: source, maxHeight: maxHeight)))
    world.run(3)
    publisher.check()
    viewer.check()
    world.run(10)
    return (camera, viewer, slot, ssrc)
}
