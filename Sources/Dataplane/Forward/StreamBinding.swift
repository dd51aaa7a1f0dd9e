import Wire

/// What an SSRC of a Track is.
struct StreamBinding: BitwiseCopyable {
    /// What a packet says of itself, by header extensions.
    struct Names: BitwiseCopyable {
        var mid: UnsafeRawBufferPointer?
        var rid: UnsafeRawBufferPointer?
        /// Of the stream that it repeats.
        var repairedRid: UnsafeRawBufferPointer?
    }

    var layer: Int
    var isRetransmission: Bool
    /// It can be of no other Track.
    var isCertain: Bool
}

extension Track {
    /// What the SSRC of a packet is that was not seen before; nil when it is not of this Track.
    func binding(of rtp: RTPPacket, _ names: StreamBinding.Names) -> StreamBinding? {
        if let name = names.mid {
            guard let base = name.baseAddress, mid.equals(base, count: name.count) else { return nil }
        }
        let offered = offeredLayer(of: rtp.ssrc)
        // Before any media a sender pads its retransmission stream, with the type of any codec.
        let isRetransmission =
            rtp.payloadType == payloadTypes.rtx || names.repairedRid != nil || offered?.isRetransmission == true
        guard isRetransmission || rtp.payloadType == payloadTypes.media else { return nil }
        let isCertain = names.mid != nil || offered != nil
        if let rid = names.repairedRid ?? names.rid, hasNamedLayers {
            guard let layer = layer(named: rid) else { return nil }
            return StreamBinding(layer: layer, isRetransmission: isRetransmission, isCertain: isCertain)
        }
        // Without a stream id another SSRC than the offer's can only be told when there is one layer.
        guard let layer = offered?.layer ?? (layerCount == 1 ? 0 : nil) else { return nil }
        return StreamBinding(layer: layer, isRetransmission: isRetransmission, isCertain: isCertain)
    }

    /// The layer for which the offer names an SSRC.
    private func offeredLayer(of ssrc: UInt32) -> (layer: Int, isRetransmission: Bool)? {
        // 0 stands for an SSRC that the offer does not name.
        guard ssrc != 0 else { return nil }
        for index in 0..<layerCount {
            if layers[index].description.ssrc == ssrc { return (index, false) }
            if layers[index].description.rtxSsrc == ssrc { return (index, true) }
        }
        return nil
    }

    /// The offer names its layers (RFC 8851), not their SSRCs alone.
    private var hasNamedLayers: Bool { !layers[0].description.rid.isEmpty }

    private func layer(named rid: UnsafeRawBufferPointer) -> Int? {
        guard let base = rid.baseAddress else { return nil }
        for index in 0..<layerCount where layers[index].description.rid.equals(base, count: rid.count) { return index }
        return nil
    }
}
