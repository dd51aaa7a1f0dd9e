import Agents
import Mailbox
import Wire

/// What an answered offer says, in the workers' words.
extension OpenTrack {
    init(_ media: SendMedia, track: TrackHandle, session: SessionHandle) {
        var layers = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        let count = min(media.layers.count, 3)
        for index in 0..<count { layers[index] = LayerDescription(media.layers[index]) }
        self.init(
            track: track, source: .session(session), mid: ShortText(bounded: media.mid), kind: media.kind,
            codec: media.codec,
            payloadTypes: media.payloadTypes, feedback: media.feedback, layers: layers,
            layerCount: UInt8(max(count, 1)), nominalHeight: media.kind.nominalHeight)
    }
}

extension OpenTrack {
    /// A source that comes over a Lane, with what its PoP said of it: the far end sends under names, in its own form.
    init(_ source: Publication.Source, _ role: SourceRole, track: TrackHandle, lane: LaneHandle) {
        self.init(
            track: track, source: .lane(lane), mid: ShortText(), kind: role.kind, codec: source.codec,
            payloadTypes: PayloadTypes(), layers: InlineArray(repeating: LayerDescription()),
            layerCount: min(max(source.layers, 1), 3), nominalHeight: role.kind.nominalHeight)
    }
}

extension WantedLayers {
    /// In the words of the publisher's own offer.
    init(_ layers: LayerSet, of track: OpenTrack) {
        let count = min(Int(track.layerCount), track.layers.count)
        let mid = track.mid.description
        let rids = (0..<count).map { track.layers[$0].rid.description }
        guard rids.allSatisfy({ !$0.isEmpty }) else {
            self.init(mid: mid, isWanted: !layers.isEmpty)
            return
        }
        self.init(mid: mid, rids: (0..<count).filter { layers.contains(UInt8($0)) }.map { rids[$0] })
    }
}

extension MediaKind {
    /// Of the highest Layer until a keyframe tells it, pixels.
    fileprivate var nominalHeight: UInt16 { self == .screen ? 1080 : 720 }
}

extension LayerDescription {
    init(_ layer: SendLayer) {
        self.init(rid: ShortText(bounded: layer.rid), ssrc: layer.ssrc, rtxSsrc: layer.rtxSsrc)
    }
}

extension OpenSlot {
    init(_ media: ReceiveMedia, slot: SlotHandle, session: SessionHandle) {
        self.init(
            slot: slot, session: session, kind: media.kind, mid: ShortText(bounded: media.mid), ssrc: media.ssrc,
            rtxSsrc: media.rtxSsrc, payloadTypes: media.payloadTypes)
    }
}

extension ShortText {
    /// A text that the negotiation bounds to 16 bytes.
    init(bounded text: String) {
        guard let short = ShortText(text) else { preconditionFailure("mids and rids have at most 16 bytes") }
        self = short
    }
}
