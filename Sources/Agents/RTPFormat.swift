import Wire

/// One payload type of an m-line with what its `rtpmap`, `fmtp` and `rtcp-fb` lines say.
struct RTPFormat {
    var payloadType: UInt8
    /// In lower case, for example `vp8`.
    var encoding: String
    var clockRate: UInt32
    /// For example `VP8/90000`, as offered.
    var mapping: String
    /// The `fmtp` value; empty when there is none.
    var parameters = ""
    /// Of what `rtcp-fb` lines say, what we understand.
    var feedback: Set<String> = []

    /// RFC 4585, RFC 5104, and the two ways of telling a sender what the path carries.
    private static let understood: Set<String> = ["nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"]

    /// A format that we forward; nil for retransmission, redundancy, other profiles of our codecs, and the rest.
    var codec: Codec? {
        switch (encoding, clockRate) {
        case ("opus", 48_000): .opus
        case ("vp8", 90_000): .vp8
        case ("vp9", 90_000): (parameter("profile-id") ?? "0") == "0" ? .vp9 : nil
        case ("av1", 90_000): (parameter("profile") ?? "0") == "0" ? .av1 : nil
        case ("h264", 90_000): isForwardableH264 ? .h264 : nil
        default: nil
        }
    }

    /// The payload type that a retransmission format repeats (RFC 4588 section 8.1).
    var associated: UInt8? {
        encoding == "rtx" ? parameter("apt").flatMap { UInt8($0) } : nil
    }

    /// The value of one `fmtp` parameter.
    func parameter(_ name: String) -> String? {
        for part in parameters.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0].trimmed.lowercased() == name else { continue }
            return String(pair[1].trimmed)
        }
        return nil
    }

    /// Constrained baseline (profile_idc 66 with constraint_set1; RFC 6184 section 8.1) in packetization mode 1.
    /// A missing profile-level-id means 42e01f among browsers (RFC 7742 section 6.2 demands that profile of all).
    private var isForwardableH264: Bool {
        guard parameter("packetization-mode") == "1" else { return false }
        let level = parameter("profile-level-id") ?? "42e01f"
        guard level.utf8.count == 6, let value = UInt32(level, radix: 16) else { return false }
        return value >> 16 == 0x42 && value >> 8 & 0x4f == 0x40
    }

    /// The formats of an m-line, in its order; lines that are malformed, or speak of payload types that the
    /// m-line does not have, are ignored.
    static func all(of media: SessionDescription.Media) -> [RTPFormat] {
        var byType: [UInt8: RTPFormat] = [:]
        for attribute in media.attributes where attribute.name == "rtpmap" {
            guard let (type, rest) = split(attribute.value), byType[type] == nil else { continue }
            let parts = rest.split(separator: "/")
            guard parts.count >= 2, let rate = UInt32(parts[1]) else { continue }
            byType[type] = RTPFormat(
                payloadType: type, encoding: parts[0].lowercased(), clockRate: rate, mapping: String(rest))
        }
        var common: Set<String> = []
        for attribute in media.attributes {
            switch attribute.name {
            case "fmtp":
                if let (type, rest) = split(attribute.value) { byType[type]?.parameters = String(rest) }
            case "rtcp-fb":
                if attribute.value.hasPrefix("* ") {
                    common.insert(String(attribute.value.dropFirst(2)))
                } else if let (type, rest) = split(attribute.value) {
                    byType[type]?.feedback.insert(String(rest))
                }
            default: break
            }
        }
        return media.formats.compactMap { UInt8($0) }.compactMap { type in
            guard var format = byType.removeValue(forKey: type) else { return nil }
            format.feedback = format.feedback.union(common).intersection(understood)
            return format
        }
    }

    /// `<payload type> <rest>`; 64...95 would be taken for RTCP (RFC 5761 section 4).
    private static func split(_ value: String) -> (UInt8, Substring)? {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let type = UInt8(parts[0]), type < 64 || (96...127).contains(type) else { return nil }
        return (type, parts[1])
    }
}

extension Substring {
    /// Without spaces at both ends.
    var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
