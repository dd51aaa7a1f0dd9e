import Mailbox
import Wire

/// One published source, or the replica of one that lives on another worker.
struct Track: BitwiseCopyable {
    /// Layers of a Track.
    static let maximumLayers = 3
    /// Of `firstGathered`.
    static let nothingGathered: UInt8 = 0xff

    let handle: TrackHandle
    /// The publisher; none for a replica.
    let session: SessionHandle
    /// For a replica: the Track that feeds it.
    let origin: TrackHandle
    let mid: ShortText
    let kind: MediaKind
    let codec: Codec
    let payloadTypes: PayloadTypes
    let layerCount: Int
    /// Lowest resolution first.
    var layers: InlineArray<3, Layer>
    var loudness = Loudness()
    /// The first of its Slots, linked by `Slot.next`; an index, `none` when nobody watches.
    var firstSlot = Link.none
    /// Its packets that wait in the worker's `FanOut`: the places of the first and the last.
    var firstGathered = Track.nothingGathered
    var lastGathered = Track.nothingGathered
    /// What its Slots' layers were chosen by (`choices`), and when they are chosen anew in any case, ns.
    var chosenBy: UInt64 = 0
    var choiceDue: UInt64 = 0
    /// The next Track of the same Session.
    var nextOfSession = Link.none
    /// Its replica on each worker, by the worker's number.
    var replicas = InlineArray<16, TrackHandle>(repeating: .none)
    /// How many of `replicas` there are.
    var replicaCount = 0

    init(_ open: OpenTrack, caches: UnsafeMutablePointer<RetransmissionCache.Entry>) {
        handle = open.track
        session = open.session
        origin = open.origin
        mid = open.mid
        kind = open.kind
        codec = open.codec
        payloadTypes = open.payloadTypes
        layerCount = min(max(Int(open.layerCount), 1), Self.maximumLayers)
        let count = layerCount
        layers = InlineArray { index in
            Layer(
                description: open.layers[index],
                height: open.nominalHeight >> UInt16(max(count - 1 - index, 0)),
                cache: RetransmissionCache(entries: caches + index * RetransmissionCache.depth))
        }
    }

    var isReplica: Bool { session.isNone }
    /// Other workers read its packets too.
    var isShared: Bool { isReplica || replicaCount > 0 }

    /// Whether a layer is sent at present, beside others. A source that is still as a whole (a screen) has the layers that
    /// it had last.
    private func isSent(_ index: Int, latest: UInt64) -> Bool {
        layers[index].isStarted && latest &- layers[index].lastArrival < Layer.silenceBesideOthers
    }

    /// When the latest packet of any layer came, ns.
    private var latestArrival: UInt64 {
        var latest: UInt64 = 0
        for index in 0..<layerCount where layers[index].isStarted { latest = max(latest, layers[index].lastArrival) }
        return latest
    }

    /// The layer for a tile of `maxHeight` pixels: the highest that is sent and fits, else the lowest that is sent; nil
    /// while none is. It depends on `choices` and the height alone.
    func layer(fitting maxHeight: UInt16) -> Int? {
        let latest = latestArrival
        var best: Int?
        for index in 0..<layerCount where isSent(index, latest: latest) {
            guard let present = best else {
                best = index
                continue
            }
            let (old, new) = (layers[present].height, layers[index].height)
            let isBetter = new <= maxHeight ? new >= old || old > maxHeight : new < old
            if isBetter { best = index }
        }
        return best
    }

    /// Which layers are sent and how high they are: while it stays the same, so does what every Slot should show.
    var choices: UInt64 {
        let latest = latestArrival
        var choices: UInt64 = 0
        for index in 0..<layerCount where isSent(index, latest: latest) {
            choices |= (UInt64(layers[index].height) << 1 | 1) << UInt64(17 * index)
        }
        return choices
    }
}

/// Indices as links of lists inside the tables.
enum Link {
    static let none: UInt32 = 0xffff_ffff
}

extension Track {
    /// The layer that an SSRC belongs to which was not seen before; nil when it is not of this Track.
    /// `rid` is the repaired stream's where the packet has one.
    func layer(
        of rtp: RTPPacket, mid packetMid: UnsafeRawBufferPointer?, rid: UnsafeRawBufferPointer?, isRepaired: Bool
    ) -> Int? {
        for index in 0..<layerCount {
            let description = layers[index].description
            // 0 stands for an SSRC that the offer does not name.
            guard rtp.ssrc != 0 else { continue }
            if description.ssrc == rtp.ssrc || description.rtxSsrc == rtp.ssrc { return index }
        }
        let type = rtp.payloadType
        guard type == payloadTypes.media || type == payloadTypes.rtx else { return nil }
        if let packetMid, let base = packetMid.baseAddress {
            guard mid.equals(base, count: packetMid.count) else { return nil }
        }
        if let rid, let base = rid.baseAddress {
            for index in 0..<layerCount where layers[index].description.rid.equals(base, count: rid.count) {
                return index
            }
            return nil
        }
        // Without a stream id it can only be told when there is one layer, and one that names no SSRC.
        return layerCount == 1 && layers[0].description.ssrc == 0 ? 0 : nil
    }
}

extension Mbuf {
    /// What is known of the media packet in it.
    var record: UnsafeMutablePointer<PacketRecord> { metadata(as: PacketRecord.self) }
}
