import Wire

/// How one m-line is answered.
struct MediaAnswer {
    /// A codec that the offer and we share.
    struct Shared {
        var codec: Codec
        var format: RTPFormat
        var rtx: RTPFormat?
    }

    var offered: OfferedMedia
    /// For a publisher the one that it shall use comes first; empty rejects the m-line.
    var formats: [Shared] = []
    var extensions: [HeaderExtension] = []
    /// Of the Slot, 0 when there is none.
    var ssrc: UInt32 = 0
    /// Of the Slot, 0 without retransmission.
    var rtxSsrc: UInt32 = 0

    var isAccepted: Bool { !formats.isEmpty }
    var hasRtx: Bool { formats.contains { $0.rtx != nil } }

    /// The offer's direction from our side.
    var direction: Direction {
        switch (offered.sends, offered.receives) {
        case (true, true): .sendrecv
        case (true, false): .recvonly
        case (false, true): .sendonly
        case (false, false): .inactive
        }
    }

    var usesTransportFeedback: Bool { formats.contains { feedback(for: $0.format).contains(.transport) } }

    /// Chooses the formats: what a Slot may be sent in is all that we share, in the offer's order; a publisher is
    /// asked for the first of `preference` that it has.
    init(_ offered: OfferedMedia, preference: [Codec]) {
        self.offered = offered
        var shared: [Shared] = []
        for format in offered.capabilities.formats {
            guard let codec = format.codec, preference.contains(codec), !shared.contains(where: { $0.codec == codec })
            else { continue }
            let rtx = offered.capabilities.formats.first {
                $0.associated == format.payloadType && $0.clockRate == format.clockRate
            }
            shared.append(Shared(codec: codec, format: format, rtx: rtx))
        }
        guard offered.sends, let codec = preference.first(where: { codec in shared.contains { $0.codec == codec } })
        else {
            formats = shared
            return
        }
        let chosen = shared.filter { $0.codec == codec }
        formats = offered.receives ? chosen + shared.filter { $0.codec != codec } : chosen
    }

    /// A line `m=` that says no (RFC 3264 section 6). aiortc wants the `credentials` even there.
    static func rejection(_ media: SessionDescription.Media, _ credentials: [String]) -> [String] {
        var lines = ["m=\(media.kind) 0 \(media.proto) \(media.formats.joined(separator: " "))"]
        lines += credentials
        if let mid = media.attributes.first("mid") { lines.append("a=mid:\(mid.value)") }
        return lines + ["a=inactive", "a=rtcp-mux"]
    }

    /// Writes what this m-line says of its media; the transport's lines are the Answerer's.
    func write(to text: inout SDPText) {
        text.add("a=mid:\(offered.mid)")
        text.add("a=\(direction.rawValue)")
        if offered.receives { text.add("a=msid:- \(offered.mid)") }
        text.add("a=rtcp-mux")
        if offered.media.attributes.has("rtcp-rsize") { text.add("a=rtcp-rsize") }
        // Slots differ in nothing of this.
        text.add(once: offered.capabilities.number.map { "\($0) \(offered.media.kind) \(direction.rawValue)" }) {
            text in
            text.add(extensions.map { "a=extmap:\($0.answer)" })
            let common = commonFeedback
            text.add(Self.feedbackLines(common ?? [], of: "*"))
            for shared in formats { text.add(formatLines(shared, saysFeedback: common == nil)) }
        }
        if offered.receives { text.add(sourceLines) }
        if offered.sends { text.add(simulcastLines) }
    }

    var payloadTypes: [UInt8] {
        formats.flatMap { shared in [shared.format.payloadType] + (shared.rtx.map { [$0.payloadType] } ?? []) }
    }

    /// The client's payload types of one codec.
    func payloadTypes(of shared: Shared) -> PayloadTypes {
        PayloadTypes(media: shared.format.payloadType, rtx: shared.rtx?.payloadType ?? 0xff)
    }

    /// What all formats have, where there are several; one line serves them then (RFC 4585 section 4.2).
    private var commonFeedback: RTPFormat.Feedback? {
        guard formats.count > 1 else { return nil }
        let all = formats.map { feedback(for: $0.format) }
        return all.allSatisfy { $0 == all[0] } ? all[0] : nil
    }

    private static func feedbackLines(_ feedback: RTPFormat.Feedback, of type: String) -> [String] {
        RTPFormat.Feedback.texts.filter { feedback.contains($0.0) }.map { "a=rtcp-fb:\(type) \($0.1)" }
    }

    private func formatLines(_ shared: Shared, saysFeedback: Bool) -> [String] {
        let type = shared.format.payloadType
        var lines = ["a=rtpmap:\(type) \(shared.format.mapping)"]
        if saysFeedback { lines += Self.feedbackLines(feedback(for: shared.format), of: String(type)) }
        let parameters = parameters(of: shared)
        if !parameters.isEmpty { lines.append("a=fmtp:\(type) \(parameters)") }
        if let rtx = shared.rtx {
            lines.append("a=rtpmap:\(rtx.payloadType) \(rtx.mapping)")
            lines.append("a=fmtp:\(rtx.payloadType) \(rtx.parameters)")
        }
        return lines
    }

    /// Those that say more than their absence does: profile 0 is what VP9 (RFC 9628 section 7) and AV1 (its RTP
    /// specification, section 7) mean without them.
    private func parameters(of shared: Shared) -> String {
        switch shared.codec {
        case .opus: opusParameters(shared.format)
        case .vp9, .av1: ""
        case .vp8, .h264: shared.format.parameters
        }
    }

    /// RFC 7587 section 6.1: forward error correction, and nothing that asks for stereo.
    private func opusParameters(_ format: RTPFormat) -> String {
        let minptime = format.parameter("minptime").flatMap { UInt8($0) }
        return (minptime.map { "minptime=\($0);" } ?? "") + "useinbandfec=1"
    }

    /// REMB is the fallback of a peer without transport-wide feedback or its header extension.
    private func feedback(for format: RTPFormat) -> RTPFormat.Feedback {
        let offersTransport =
            format.feedback.contains(.transport) && extensions.contains { $0.kind == .transportSequence }
        var wanted: RTPFormat.Feedback = offersTransport ? .transport : .remb
        if offered.kind.isVideo { wanted.formUnion([.fir, .nack, .pli]) }
        return format.feedback.intersection(wanted)
    }

    /// RFC 5576: what we send with; the name is that of our reports.
    private var sourceLines: [String] {
        var lines = ["a=ssrc:\(ssrc) cname:needletail"]
        if rtxSsrc != 0 {
            lines.insert("a=ssrc-group:FID \(ssrc) \(rtxSsrc)", at: 0)
            lines.append("a=ssrc:\(rtxSsrc) cname:needletail")
        }
        return lines
    }

    private var simulcastLines: [String] {
        let lines = offered.rids.map { "a=rid:\($0) recv" }
        return offered.rids.count > 1 ? lines + ["a=simulcast:recv " + offered.rids.joined(separator: ";")] : lines
    }
}
