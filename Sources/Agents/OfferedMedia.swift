import Wire

/// An m-line of an offer with its attributes understood.
struct OfferedMedia {
    var media: SessionDescription.Media
    /// Empty when it has none.
    var mid: String
    var kind: MediaKind
    /// The client's directions.
    var sends: Bool
    var receives: Bool
    var capabilities: OfferedCapabilities
    /// Lowest resolution first, at most 3; of a publisher.
    var rids: [String]
    /// The `msid` stream id; empty when there is none.
    var stream: String
    /// As a receiver of media it measures the round trip with us (RFC 3611 section 4.4, section 5.1 for the words).
    var asksForReceiverReferenceTime: Bool

    /// A BUNDLE-only m-line has port 0 and leaves out what the first one of the group says (RFC 8843 section 7.1).
    var isBundleOnly: Bool { media.port == 0 && media.attributes.has("bundle-only") }

    /// - Throws: when the mid is malformed, or the simulcast is of layers that are not declared.
    init(
        _ media: SessionDescription.Media, sessionDirection: Direction, _ table: inout CapabilityTable
    ) throws(SDPError) {
        self.media = media
        let mid = media.attributes.first("mid")
        self.mid = mid?.value ?? ""
        if let mid, !mid.value.isToken(atMost: 16) {
            throw SDPError(.malformed, line: mid.line, "a mid is a token of at most 16 bytes")
        }
        let direction = media.attributes.lazy.compactMap { Direction(rawValue: $0.name) }.first ?? sessionDirection
        sends = direction == .sendrecv || direction == .sendonly
        receives = direction == .sendrecv || direction == .recvonly
        capabilities = table.read(media)
        rids = sends ? try Self.rids(of: media) : []
        asksForReceiverReferenceTime = Self.asksForReceiverReferenceTime(media)
        let msid = media.attributes.first("msid")?.value.words ?? []
        stream = msid.first.map { $0 == "-" ? "" : $0 } ?? ""
        kind =
            if media.kind == "audio" {
                .audio
            } else if media.attributes.values("content").contains(where: { $0.split(separator: ",").contains("slides") }
            )
                || msid.contains(where: { $0.lowercased().hasPrefix("screen") })
            {
                .screen
            } else {
                .video
            }
    }

    /// Of this m-line; the session may say it for all.
    var allowsMixed: Bool { media.attributes.has(HeaderExtension.mixed) }

    /// Why we cannot serve it, whatever its formats are; nil when we can.
    ///
    /// - Parameter hasFingerprint: somewhere in the offer.
    func refusal(hasFingerprint: Bool) -> String? {
        let profile = TransportProfile(media.proto)
        return if media.kind != "audio" && media.kind != "video" {
            "only audio and video are served"
        } else if media.port == 0 && !isBundleOnly {
            "it was offered with port 0"
        } else if !profile.isKnown {
            "this transport protocol is not served"
        } else if profile.isPlain && !hasFingerprint {
            "RTP is not served without encryption; DTLS-SRTP needs an a=fingerprint"
        } else {
            nil
        }
    }

    private static func asksForReceiverReferenceTime(_ media: SessionDescription.Media) -> Bool {
        media.attributes.values("rtcp-xr").contains { value in
            value.words.contains { $0 == "rcvr-rtt=all" || $0.hasPrefix("rcvr-rtt=all:") }
        }
    }

    /// What to expect for a publisher's encodings, lowest resolution first.
    var layers: [SendLayer] {
        guard rids.isEmpty else { return rids.map { SendLayer(rid: $0, ssrc: 0, rtxSsrc: 0) } }
        let groups = media.attributes.values("ssrc-group").map(\.words)
        let pairs = groups.filter { $0.first == "FID" && $0.count == 3 }.compactMap { group -> (UInt32, UInt32)? in
            guard let media = UInt32(group[1]), let repair = UInt32(group[2]) else { return nil }
            return (media, repair)
        }
        // Simulcast as browsers did it before rids names the lowest layer first.
        let simulcast = groups.first { $0.first == "SIM" }?.dropFirst().compactMap { UInt32($0) } ?? []
        let single = pairs.first?.0 ?? ssrcs.first ?? 0
        return (simulcast.isEmpty ? [single] : Array(simulcast.prefix(3))).map { ssrc in
            SendLayer(rid: "", ssrc: ssrc, rtxSsrc: pairs.first { $0.0 == ssrc }?.1 ?? 0)
        }
    }

    /// All SSRCs that the m-line names.
    var ssrcs: [UInt32] {
        media.attributes.values("ssrc").compactMap { $0.words.first.flatMap { UInt32($0) } }
    }

    /// The rids that the client sends (RFC 8853): of `a=simulcast`, the first alternative of each stream; without
    /// it, a single `a=rid`.
    private static func rids(of media: SessionDescription.Media) throws(SDPError) -> [String] {
        let declared = media.attributes.values("rid").map(\.words).filter { $0.count >= 2 && $0[1] == "send" }
            .map { $0[0] }
        guard let simulcast = media.attributes.first("simulcast") else {
            return declared.count == 1 && declared[0].isRid ? declared : []
        }
        let words = simulcast.value.words
        guard let send = words.firstIndex(of: "send"), words.indices.contains(send + 1) else { return [] }
        let known = Set(declared)
        var listed: [String] = []
        for stream in words[send + 1].split(separator: ";") {
            // `~` says that the stream begins paused.
            let alternatives = stream.split(separator: ",").map { String($0.first == "~" ? $0.dropFirst() : $0) }
            guard alternatives.allSatisfy(known.contains) else {
                throw SDPError(
                    .unusable, line: simulcast.line, "a=simulcast names a rid that no a=rid declares for sending")
            }
            guard alternatives.allSatisfy(\.isRid) else {
                throw SDPError(
                    .unusable, line: simulcast.line, "a rid is at most 16 letters, digits, hyphens and underscores")
            }
            if let rid = alternatives.first, !listed.contains(rid) { listed.append(rid) }
        }
        return Array(lowestFirst(listed).prefix(3))
    }

    /// An offer does not say which rid is the smallest: the customary names tell it, and with other names the order of
    /// the list, which is that of `sendEncodings`, counts as lowest first (as our own web client writes it).
    private static func lowestFirst(_ rids: [String]) -> [String] {
        let customs = [
            ["l", "m", "h"], ["q", "h", "f"], ["0", "1", "2"], ["1", "2", "3"], ["r0", "r1", "r2"],
            ["low", "mid", "high"], ["low", "medium", "high"], ["lo", "mid", "hi"],
        ]
        let custom = customs.first { names in rids.allSatisfy(names.contains) }
        return custom.map { $0.filter(rids.contains) } ?? rids
    }
}

/// A media direction (RFC 8866 section 6.7).
enum Direction: String {
    case sendrecv, sendonly, recvonly, inactive
}

extension StringProtocol {
    /// RFC 8866 section 9, `token`.
    func isToken(atMost length: Int) -> Bool {
        !isEmpty && utf8.count <= length
            && utf8.allSatisfy { byte in
                switch byte {
                case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7e: true
                default: false
                }
            }
    }

    /// RFC 8851 section 10, and short enough for a one-byte header extension element.
    var isRid: Bool {
        isToken(atMost: 16)
            && utf8.allSatisfy { byte in
                switch byte {
                case 0x2d, 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: true
                default: false
                }
            }
    }
}
