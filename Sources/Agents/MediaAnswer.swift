import Wire

/// How one m-line is answered.
struct MediaAnswer {
    /// A codec that the offer and we share.
    struct Shared {
        var codec: Codec
        var format: RTPFormat
        var rtx: RTPFormat?
        /// What sounds are sent in that come with earlier ones.
        var red: RTPFormat?
    }

    let offered: OfferedMedia
    /// What the client publishes here; nil when it does not, or is not served.
    private(set) var sends: MediaKind?
    /// Why the m-line is refused, in words for people; nil when it is accepted.
    private(set) var refusal: String?
    /// For a publisher the one that it shall use comes first.
    private(set) var formats: [Shared] = []
    /// The msid stream of the Slot (RFC 8830): an audio and a video Slot of the same number share one, as receivers play the
    /// tracks of a stream in step.
    var slotStream = "-"
    var extensions: [HeaderExtension] = []
    /// Of the Slot, 0 when there is none.
    var ssrc: UInt32 = 0
    /// Of the Slot, 0 without retransmission.
    var rtxSsrc: UInt32 = 0

    var isAccepted: Bool { refusal == nil }
    var hasRtx: Bool { formats.contains { $0.rtx != nil } }

    /// The offer's direction from our side.
    var direction: Direction {
        switch (sends != nil, offered.receives) {
        case (true, true): .sendrecv
        case (true, false): .recvonly
        case (false, true): .sendonly
        case (false, false): .inactive
        }
    }

    var usesTransportFeedback: Bool { formats.contains { feedback(for: $0.format).contains(.transport) } }

    /// Chooses the formats: what a Slot may be sent in is all that we share, in the offer's order; a publisher is
    /// asked for the first of `preference` that it has.
    ///
    /// - Parameter refusal: why the m-line is refused whatever its formats are.
    init(_ offered: OfferedMedia, preference: [Codec], refusal: String?) {
        self.offered = offered
        self.refusal = refusal
        guard refusal == nil else { return }
        formats = shared(preference)
        guard !formats.isEmpty else {
            self.refusal = Self.missingCodec(of: offered)
            return
        }
        guard offered.sends else { return }
        sends = offered.kind
        choose(preference)
    }

    private func shared(_ preference: [Codec]) -> [Shared] {
        let all = offered.capabilities.formats
        var shared: [Shared] = []
        for format in all where !(format.isSingleUnits && offered.receives) {
            guard let codec = format.codec, preference.contains(codec) else { continue }
            let known = shared.firstIndex { $0.codec == codec }
            guard known.map({ shared[$0].format.rank < format.rank }) ?? true else { continue }
            let rtx = all.first { $0.associated == format.payloadType && $0.clockRate == format.clockRate }
            // Nothing is repeated that cannot be asked for.
            let isRepeated = feedback(for: format).contains(.nack)
            if let known { shared.remove(at: known) }
            // A publisher does not send what it was not offered.
            let red = offered.receives && !offered.sends ? all.first { $0.repeats(format) } : nil
            shared.append(Shared(codec: codec, format: format, rtx: isRepeated ? rtx : nil, red: red))
        }
        return shared
    }

    /// Puts the codec that the publisher shall use first; it alone stays where nothing is received.
    private mutating func choose(_ preference: [Codec]) {
        guard let codec = preference.first(where: { codec in formats.contains { $0.codec == codec } }) else { return }
        let chosen = formats.filter { $0.codec == codec }
        formats = offered.receives ? chosen + formats.filter { $0.codec != codec } : chosen
    }

    private static func missingCodec(of offered: OfferedMedia) -> String {
        if offered.kind == .audio { return "no codec is shared: sound is taken in Opus" }
        let hasH264 = offered.capabilities.formats.contains { $0.encoding == "h264" }
        return "no codec is shared"
            + (hasH264 ? ": H.264 is taken in baseline profiles with packetization-mode=1" : "")
    }

    /// Gives the source its kind among those of the participant, or does not serve it: then the m-line is a Slot alone,
    /// or refused.
    mutating func serve(as kind: MediaKind?, otherwise refusal: String) {
        sends = kind
        if kind == nil, !offered.receives { self.refusal = refusal }
    }

    /// The lines of an m-line with port 0, which says no (RFC 3264 section 6), and why, where a title would be (RFC 8866
    /// section 5.4). aiortc wants the `credentials` even there.
    func rejection(_ credentials: [String]) -> [String] {
        let media = offered.media
        var lines = ["m=\(media.kind) 0 \(media.proto) \(media.formats.joined(separator: " "))"]
        if let refusal { lines.append("i=refused: \(refusal)") }
        lines += credentials
        if !offered.mid.isEmpty { lines.append("a=mid:\(offered.mid)") }
        return lines + ["a=inactive", "a=rtcp-mux"]
    }

    /// Writes what this m-line says of its media; the transport's lines are the Answerer's.
    func write(to text: inout SDPText) {
        text.add("a=mid:\(offered.mid)")
        text.add("a=\(direction.rawValue)")
        if offered.receives { text.add("a=msid:\(slotStream) \(offered.mid)") }
        text.add("a=rtcp-mux")
        if offered.media.attributes.has("rtcp-rsize") { text.add("a=rtcp-rsize") }
        if offered.asksForReceiverReferenceTime { text.add("a=rtcp-xr:rcvr-rtt=all") }
        if offered.allowsMixed { text.add("a=\(HeaderExtension.mixed)") }
        // Slots differ in nothing of this.
        let sameness = "\(offered.media.kind) \(direction.rawValue) \(offered.allowsMixed)"
        text.add(once: offered.capabilities.number.map { "\($0) \(sameness)" }) { text in
            text.add(extensions.map { "a=extmap:\($0.answer)" })
            let common = commonFeedback
            text.add(Self.feedbackLines(common ?? [], of: "*"))
            for shared in formats { text.add(formatLines(shared, saysFeedback: common == nil)) }
        }
        if offered.receives { text.add(sourceLines) }
        if sends != nil { text.add(simulcastLines) }
    }

    var payloadTypes: [UInt8] {
        formats.flatMap { shared in
            [shared.format.payloadType] + [shared.rtx, shared.red].compactMap { $0?.payloadType }
        }
    }

    /// The client's payload types of one codec.
    func payloadTypes(of shared: Shared) -> PayloadTypes {
        PayloadTypes(
            media: shared.format.payloadType, rtx: shared.rtx?.payloadType ?? 0xff,
            red: shared.red?.payloadType ?? 0xff)
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
            lines.append("a=fmtp:\(rtx.payloadType) apt=\(type)")
        }
        if let red = shared.red {
            lines.append("a=rtpmap:\(red.payloadType) \(red.mapping)")
            lines.append("a=fmtp:\(red.payloadType) \(type)/\(type)")
        }
        return lines
    }

    /// Those that say more than their absence does: profile 0 is what VP9 (RFC 9628 section 7) and AV1 (its RTP
    /// specification, section 7) mean without them. Nothing that describes the offerer's own stream or decoder.
    private func parameters(of shared: Shared) -> String {
        switch shared.codec {
        case .opus: opusParameters(shared.format)
        case .vp8, .vp9, .av1: ""
        case .h264: Self.h264Parameters(shared.format)
        }
    }

    /// RFC 6184 section 8.2.2: what configures the format is repeated, and must be.
    private static func h264Parameters(_ format: RTPFormat) -> String {
        let asymmetry = format.parameter("level-asymmetry-allowed") == "1" ? ["level-asymmetry-allowed=1"] : []
        let configuration = ["packetization-mode", "profile-level-id"].compactMap { name in
            format.parameter(name).map { "\(name)=\($0)" }
        }
        return (asymmetry + configuration).joined(separator: ";")
    }

    /// RFC 7587 section 6.1: forward error correction, and nothing that asks for stereo.
    private func opusParameters(_ format: RTPFormat) -> String {
        let minptime = format.parameter("minptime").flatMap { UInt8($0) }
        return (minptime.map { "minptime=\($0);" } ?? "") + "useinbandfec=1"
    }

    /// What we answer and make use of; transport-wide feedback needs its header extension.
    func feedback(for format: RTPFormat) -> RTPFormat.Feedback {
        var wanted: RTPFormat.Feedback = offered.kind.isVideo ? [.fir, .nack, .pli] : []
        if extensions.contains(where: { $0.kind == .transportSequence }) { wanted.insert(.transport) }
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
