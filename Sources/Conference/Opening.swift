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
            layerCount: UInt8(max(count, 1)), nominalHeight: media.kind == .screen ? 1080 : 720)
    }
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
