import Wire

/// Makes our answers to offers (RFC 9429, RFC 8843, RFC 8853): an ICE-lite peer behind one UDP port.
public struct Answerer: Sendable {
    /// Our certificate's.
    public var fingerprint: Fingerprint
    /// Our media addresses, the most preferred first.
    public var candidates: [Endpoint]
    /// What we ask a publisher of video for, the most preferred first; a codec that is not here is not used.
    public var videoCodecs: [Codec]

    public init(
        fingerprint: Fingerprint, candidates: [Endpoint], videoCodecs: [Codec] = [.vp8, .h264, .vp9, .av1]
    ) {
        self.fingerprint = fingerprint
        self.candidates = candidates
        self.videoCodecs = videoCodecs
    }

    /// Answers `offer`. An m-line that we cannot serve is rejected alone, with port 0.
    ///
    /// - Parameters:
    ///   - earlier: the session that the client has; an offer that continues it keeps all but the ICE credentials.
    ///   - ufrag: our ICE user name fragment (`OwnerUfrag.text`), where a new one is needed.
    ///   - password: our ICE password (`ICECredentials.makePassword`), in the same way.
    ///   - generator: for the Slots' SSRCs and the answer's session id.
    /// - Throws: when no session can be made from the offer, with the line where one is to blame.
    public func answer(
        to offer: String, after earlier: Negotiation? = nil, ufrag: String, password: String,
        using generator: inout some RandomNumberGenerator
    ) throws(SDPError) -> Negotiation {
        let offer = try SessionDescription(parsing: offer)
        try Self.refuseLite(offer)
        let bundle = try Bundle(offer)
        var answers = try plan(offer, bundle)
        let accepted = bundle.inOrder(answers)
        guard !accepted.isEmpty else { throw SDPError(.unusable, Self.nothingAccepted(answers)) }
        let transport = try OfferedTransport(session: offer.attributes, media: accepted.map(\.offered))
        let allowsMixed = offer.attributes.has(HeaderExtension.mixed)
        let extensions = Self.agreeOnExtensions(&answers, allowsMixed: allowsMixed)
        Self.chooseSources(&answers, using: &generator)
        var agreed = negotiation(answers, transport, extensions)
        agreed.origin = offer.origin
        agreed.sessionID = generator.next() >> 2
        (agreed.ufrag, agreed.password) = (ufrag, password)
        if let earlier, agreed.continues(earlier) {
            agreed.goOn(with: earlier)
            Self.keepSources(of: earlier, in: &answers)
        }
        let group = bundle.exists ? accepted.map(\.offered.mid) : []
        agreed.answer = write(
            sessionLines(agreed, group, allowsMixed: allowsMixed), answers, agreed)
        return agreed
    }

    private func sessionLines(_ agreed: Negotiation, _ group: [String], allowsMixed: Bool) -> [String] {
        [
            "v=0", "o=- \(agreed.sessionID) \(agreed.version) IN IP4 127.0.0.1", "s=-", connectionLine, "t=0 0",
            "a=ice-lite", group.isEmpty ? nil : "a=group:BUNDLE " + group.joined(separator: " "),
            allowsMixed ? "a=\(HeaderExtension.mixed)" : nil, "a=msid-semantic: WMS *",
            "a=fingerprint:\(fingerprint.text)",
        ].compactMap(\.self)
    }

    /// The answer's text, lines ended by CR LF.
    private func write(_ session: [String], _ answers: [MediaAnswer], _ agreed: Negotiation) -> String {
        let credentials = [
            "a=ice-ufrag:\(agreed.ufrag)", "a=ice-pwd:\(agreed.password)",
            "a=setup:\(agreed.dtlsRole == .server ? "passive" : "active")",
        ]
        var text = SDPText()
        text.add(session)
        // One transport serves the group. Its candidates stand in the first m-line (RFC 9429 section 5.3.1) and in the
        // last one, which is where aiortc looks; it wants the credentials in all of them, and webrtcbin the DTLS role.
        let bounds = [answers.firstIndex(where: \.isAccepted), answers.lastIndex(where: \.isAccepted)]
        for (index, answer) in answers.enumerated() {
            guard answer.isAccepted else {
                text.add(answer.rejection(credentials))
                continue
            }
            text.add(mediaLine(answer))
            text.add(credentials)
            answer.write(to: &text)
            if bounds.contains(index) { text.add(candidateLines) }
        }
        return text.lines
    }

    /// Decides for each m-line by itself what can be done with it.
    private func plan(_ offer: SessionDescription, _ bundle: Bundle) throws(SDPError) -> [MediaAnswer] {
        let direction = offer.attributes.lazy.compactMap { Direction(rawValue: $0.name) }.first ?? .sendrecv
        let all = [offer.attributes] + offer.media.map(\.attributes)
        let hasFingerprint = all.contains { $0.has("fingerprint") }
        var answers: [MediaAnswer] = []
        var mids: Set<String> = []
        var sources = PublishedSources()
        var table = CapabilityTable()
        for media in offer.media {
            let offered = try OfferedMedia(media, sessionDirection: direction, &table)
            guard offered.mid.isEmpty || mids.insert(offered.mid).inserted else {
                throw SDPError(.malformed, line: media.line, "two m-lines have the mid \(offered.mid)")
            }
            let preference = media.kind == "audio" ? [Codec.opus] : videoCodecs.filter { $0 != .opus }
            let refusal = offered.refusal(hasFingerprint: hasFingerprint) ?? bundle.refusal(of: offered)
            let answer = MediaAnswer(offered, preference: preference, refusal: refusal)
            if answer.isAccepted { try require(offered) }
            sources.expect(answer)
            answers.append(answer)
        }
        for index in answers.indices { sources.serve(&answers[index]) }
        Self.nameStreams(&answers)
        return answers
    }

    private static func nameStreams(_ answers: inout [MediaAnswer]) {
        var counts: [MediaKind: Int] = [:]
        for index in answers.indices where answers[index].isAccepted && answers[index].offered.receives {
            let kind = answers[index].offered.kind
            guard kind != .screen else { continue }
            answers[index].slotStream = "slot\(counts[kind, default: 0])"
            counts[kind, default: 0] += 1
        }
    }

    /// An ICE-lite agent sends no checks (RFC 8445 section 2.5): two of them would wait for each other.
    private static func refuseLite(_ offer: SessionDescription) throws(SDPError) {
        let all = [offer.attributes] + offer.media.map(\.attributes)
        guard let lite = all.lazy.compactMap({ $0.first("ice-lite") }).first else { return }
        throw SDPError(.unusable, line: lite.line, "a=ice-lite: this side is ICE-lite too, so nobody would connect")
    }

    /// Why all are refused, for as many m-lines as one reads.
    private static func nothingAccepted(_ answers: [MediaAnswer]) -> String {
        let reasons = answers.prefix(4).compactMap { answer in
            answer.refusal.map { "line \(answer.offered.media.line): \($0)" }
        }
        return "no m-line can be accepted" + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: "; ")))")
    }

    private func require(_ offered: OfferedMedia) throws(SDPError) {
        let line = offered.media.line
        guard !offered.mid.isEmpty else { throw SDPError(.unusable, line: line, "this m-line has no a=mid") }
        guard offered.media.attributes.has("rtcp-mux") || offered.isBundleOnly else {
            throw SDPError(.unusable, line: line, "this m-line has no a=rtcp-mux")
        }
    }

    /// Keeps the extensions that we use. With BUNDLE an id means one thing (RFC 8843 section 9.1): what contradicts an
    /// earlier m-line is left out. `allowsMixed`: the session may mix one-byte and two-byte headers.
    private static func agreeOnExtensions(_ answers: inout [MediaAnswer], allowsMixed: Bool) -> ExtensionMap {
        var map = ExtensionMap()
        var taken: Set<UInt8> = []
        for index in answers.indices where answers[index].isAccepted {
            let offered = answers[index].offered
            let allowsMixed = allowsMixed || offered.allowsMixed
            answers[index].extensions = offered.capabilities.extensions.filter { offer in
                let others = offered.capabilities.extensions
                if answers[index].sends == nil, !offer.kind.isForSlots(among: others, allowsMixed: allowsMixed) {
                    return false
                }
                let place = offer.kind.place
                if map[keyPath: place] == 0, taken.insert(offer.id).inserted { map[keyPath: place] = offer.id }
                return map[keyPath: place] == offer.id
            }
        }
        let slots = answers.filter { $0.isAccepted && $0.offered.receives && $0.offered.kind.isVideo }
        let mayDescribe = slots.allSatisfy { slot in
            (allowsMixed || slot.offered.allowsMixed) && slot.extensions.contains { $0.kind == .dependencyDescriptor }
        }
        if mayDescribe { map.slotDescriptor = map.dependencyDescriptor }
        return map
    }

    /// SSRCs for the Slots that collide neither with the client's nor with each other.
    private static func chooseSources(
        _ answers: inout [MediaAnswer], using generator: inout some RandomNumberGenerator
    ) {
        var taken = Set(answers.flatMap(\.offered.ssrcs))
        taken.insert(0)
        func free(_ number: UInt64) -> UInt32 {
            var ssrc = UInt32(truncatingIfNeeded: number)
            while !taken.insert(ssrc).inserted { ssrc &+= 1 }
            return ssrc
        }
        for index in answers.indices where answers[index].isAccepted && answers[index].offered.receives {
            let random = generator.next()
            answers[index].ssrc = free(random)
            if answers[index].hasRtx { answers[index].rtxSsrc = free(random >> 32) }
        }
    }

    /// The receivers of a session that goes on know its SSRCs.
    private static func keepSources(of earlier: Negotiation, in answers: inout [MediaAnswer]) {
        let known = Dictionary(earlier.receives.map { ($0.mid, $0) }, uniquingKeysWith: { first, _ in first })
        for index in answers.indices where answers[index].isAccepted {
            guard let kept = known[answers[index].offered.mid] else { continue }
            answers[index].ssrc = kept.ssrc
            answers[index].rtxSsrc = kept.rtxSsrc
        }
    }

    private func mediaLine(_ answer: MediaAnswer) -> String {
        let media = answer.offered.media
        let types = answer.payloadTypes.map(String.init).joined(separator: " ")
        // Port 9 is discard, where there is no address yet (RFC 8840 section 4.1.1).
        return "m=\(media.kind) \(candidates.first?.port ?? 9) \(media.proto) \(types)"
    }

    /// Of the session, as all m-lines share the address.
    private var connectionLine: String {
        "c=IN " + (candidates.first.map { "\($0.address.isV4 ? "IP4" : "IP6") \($0.address)" } ?? "IP4 0.0.0.0")
    }

    private var candidateLines: [String] {
        candidates.enumerated().compactMap { index, endpoint in
            ICECandidate(host: endpoint, index: index).text.map { "a=" + $0 }
        } + ["a=end-of-candidates"]
    }

    private func negotiation(
        _ answers: [MediaAnswer], _ transport: OfferedTransport, _ extensions: ExtensionMap
    ) -> Negotiation {
        let accepted = answers.filter(\.isAccepted)
        let muxed = accepted.filter { !$0.offered.isBundleOnly }
        return Negotiation(
            remoteUfrag: transport.ufrag, remotePassword: transport.password, fingerprint: transport.fingerprint,
            dtlsRole: transport.role, extensions: extensions, sends: accepted.compactMap(\.send),
            receives: accepted.compactMap(\.receive),
            reducedSizeRTCP: muxed.allSatisfy { $0.offered.media.attributes.has("rtcp-rsize") },
            transportFeedback: accepted.contains(where: \.usesTransportFeedback), answer: "")
    }
}

extension PublisherFeedback {
    fileprivate init(_ agreed: RTPFormat.Feedback) {
        self = []
        if agreed.contains(.nack) { insert(.nack) }
        if agreed.contains(.pli) { insert(.pli) }
        if agreed.contains(.fir) { insert(.fir) }
    }
}

extension MediaAnswer {
    /// What the client publishes here; nil when it does not.
    fileprivate var send: SendMedia? {
        guard let sends, let chosen = formats.first else { return nil }
        return SendMedia(
            mid: offered.mid, kind: sends, codec: chosen.codec, payloadTypes: payloadTypes(of: chosen),
            feedback: PublisherFeedback(feedback(for: chosen.format)), layers: offered.layers, stream: offered.stream)
    }

    /// The Slot; nil when the client does not receive here.
    fileprivate var receive: ReceiveMedia? {
        guard offered.receives else { return nil }
        var map = PayloadTypeMap()
        for shared in formats { map[shared.codec] = payloadTypes(of: shared) }
        return ReceiveMedia(
            mid: offered.mid, kind: offered.kind, payloadTypes: map, ssrc: ssrc, rtxSsrc: rtxSsrc)
    }
}
