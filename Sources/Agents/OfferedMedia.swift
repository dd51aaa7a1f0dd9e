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
    /// Lowest resolution first, at most 3.
    var rids: [String]
    /// The `msid` stream id; empty when there is none.
    var stream: String

    /// A BUNDLE-only m-line has port 0 and leaves out what the first one of the group says (RFC 8843 section 7.1).
    var isBundleOnly: Bool { media.port == 0 && media.attributes.has("bundle-only") }

    /// - Throws: when the mid is malformed.
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
        rids = Self.rids(of: media)
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

    /// Why we cannot serve it, whatever its formats are; nil when we can.
    var isRTPOverDTLS: Bool {
        (media.kind == "audio" || media.kind == "video") && media.proto.hasSuffix("/TLS/RTP/SAVPF")
            && (media.port != 0 || isBundleOnly)
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

    /// What an offer may declare; we use 3.
    private static let maximumRids = 16

    /// The rids that the client sends (RFC 8853): of `a=simulcast`, the first alternative of each stream; without
    /// it, a single `a=rid`.
    private static func rids(of media: SessionDescription.Media) -> [String] {
        let declared = media.attributes.values("rid").prefix(maximumRids).compactMap { value -> String? in
            let parts = value.words
            guard parts.count >= 2, parts[1] == "send", parts[0].isRid else { return nil }
            return parts[0]
        }
        guard let simulcast = media.attributes.first("simulcast")?.value else {
            return declared.count == 1 ? declared : []
        }
        let words = simulcast.words
        guard let send = words.firstIndex(of: "send"), words.indices.contains(send + 1) else { return [] }
        var listed: [String] = []
        for stream in words[send + 1].split(separator: ";") {
            guard let alternative = stream.split(separator: ",").first else { continue }
            // `~` says that the stream begins paused.
            let rid = String(alternative.first == "~" ? alternative.dropFirst() : alternative)
            if declared.contains(rid), !listed.contains(rid) { listed.append(rid) }
            if listed.count == maximumRids { break }
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

extension String {
    /// What stands between blanks; those at the ends and doubled ones mean nothing.
    var words: [String] { utf8.split(separator: 0x20).map { String($0) } }
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
