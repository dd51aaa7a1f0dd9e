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
    var feedback: Feedback = []
    /// A format that we forward; nil for retransmission, redundancy, other profiles of our codecs, and the rest.
    private(set) var codec: Codec?
    /// H.264 in packetization mode 0: single NAL units alone (RFC 6184 section 5.4). Everybody can be sent them, but most
    /// publishers send fragments and aggregates.
    private(set) var isSingleUnits = false
    /// Among formats of one codec the highest is taken. Constrained baseline (constraint_set1) is what browsers decode; of
    /// the rest of baseline no encoder makes use, so that it goes where there is nothing better.
    private(set) var rank: UInt8 = 0
    /// The payload type that a retransmission format repeats (RFC 4588 section 8.1).
    private(set) var associated: UInt8?

    /// Whether it carries sounds of this format with those that were sent before (RFC 2198 section 5).
    func repeats(_ format: RTPFormat) -> Bool {
        guard encoding == "red", clockRate == format.clockRate else { return false }
        let types = parameters.utf8.split(separator: UInt8(ascii: "/"))
        return types.count > 1 && types.allSatisfy { UInt8(Substring($0)) == format.payloadType }
    }

    /// RFC 4585, RFC 5104, and transport-wide reports of what has come. Not REMB: we never send it.
    struct Feedback: OptionSet {
        let rawValue: UInt8

        static let transport = Feedback(rawValue: 1 << 0)
        static let fir = Feedback(rawValue: 1 << 1)
        static let nack = Feedback(rawValue: 1 << 2)
        static let pli = Feedback(rawValue: 1 << 3)

        /// In the order in which an answer lists them.
        static let texts: [(Feedback, String)] = [
            (.transport, "transport-cc"), (.fir, "ccm fir"), (.nack, "nack"), (.pli, "nack pli"),
        ]

        init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Empty for what we do not understand.
        init(_ words: ArraySlice<Substring.UTF8View>) {
            let parameter = words.dropFirst().first.map { Substring($0) }
            switch (words.count, words.first.map { Substring($0) }, parameter) {
            case (1, "transport-cc", _): self = .transport
            case (1, "nack", _): self = .nack
            case (2, "nack", "pli"): self = .pli
            case (2, "ccm", "fir"): self = .fir
            default: self = []
            }
        }
    }

    private init(payloadType: UInt8, encoding: String, clockRate: UInt32, mapping: String) {
        self.payloadType = payloadType
        self.encoding = encoding
        self.clockRate = clockRate
        self.mapping = mapping
    }

    /// The value of one `fmtp` parameter.
    func parameter(_ name: String) -> String? {
        for part in parameters.utf8.split(separator: UInt8(ascii: ";")) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let given = part[..<equals].trimmed
            guard given.count == name.utf8.count, zip(given, name.utf8).allSatisfy({ $0.lowercasedASCII == $1 }) else {
                continue
            }
            return String(part[part.index(after: equals)...].trimmed)
        }
        return nil
    }

    /// Tells what the lines add up to.
    private mutating func settle() {
        codec =
            switch (encoding, clockRate) {
            case ("opus", 48_000): .opus
            case ("vp8", 90_000): .vp8
            case ("vp9", 90_000): (parameter("profile-id") ?? "0") == "0" ? .vp9 : nil
            case ("av1", 90_000): (parameter("profile") ?? "0") == "0" ? .av1 : nil
            default: nil
            }
        if encoding == "h264", clockRate == 90_000 { settleH264() }
        if encoding == "rtx" { associated = parameter("apt").flatMap { UInt8($0) } }
    }

    /// The profile-level-id of H.264, 0 where it is malformed. A missing one means 42e01f among browsers (RFC 7742
    /// section 6.2 demands that profile of all).
    private var profile: UInt32 {
        let text = parameter("profile-level-id") ?? "42e01f"
        return text.utf8.count == 6 ? UInt32(text, radix: 16) ?? 0 : 0
    }

    /// Of H.264: 1, or 0, which a missing one means too (RFC 6184 section 8.1); nil for others, which we do not forward.
    private var packetizationMode: Int? {
        switch parameter("packetization-mode") {
        case nil, "0": 0
        case "1": 1
        default: nil
        }
    }

    /// Baseline (profile_idc 66; RFC 6184 section 8.1), packetized as we can forward it.
    private mutating func settleH264() {
        let profile = profile
        guard let packetizationMode, profile >> 16 == 0x42 else { return }
        codec = .h264
        isSingleUnits = packetizationMode == 0
        rank = (profile >> 8 & 0x4f == 0x40 ? 2 : 0) + UInt8(packetizationMode)
    }

    /// What `all` reads of an m-line, beside its payload types.
    static func describes(_ attribute: SessionDescription.Attribute) -> Bool {
        switch attribute.name {
        case "rtpmap", "fmtp", "rtcp-fb": true
        default: false
        }
    }

    /// The formats of an m-line, in its order; lines that are malformed, or speak of payload types that the
    /// m-line does not have, are ignored.
    static func all(of media: SessionDescription.Media) -> [RTPFormat] {
        var byType: [UInt8: RTPFormat] = [:]
        for attribute in media.attributes where attribute.name == "rtpmap" {
            guard let (type, rest) = split(attribute.value), byType[type] == nil else { continue }
            let parts = rest.split(separator: UInt8(ascii: "/"))
            guard parts.count >= 2, let rate = UInt32(Substring(parts[1])) else { continue }
            byType[type] = RTPFormat(
                payloadType: type, encoding: Substring(parts[0]).lowercased(), clockRate: rate, mapping: String(rest))
        }
        var common: Feedback = []
        for attribute in media.attributes {
            switch attribute.name {
            case "fmtp":
                if let (type, rest) = split(attribute.value) { byType[type]?.parameters = String(rest) }
            case "rtcp-fb":
                let words = attribute.value.utf8.split(whereSeparator: \.isBlank)
                guard let type = words.first, words.count > 1 else { continue }
                let feedback = Feedback(words.dropFirst())
                if type.elementsEqual("*".utf8) {
                    common.formUnion(feedback)
                } else if let type = payloadType(type) {
                    byType[type]?.feedback.formUnion(feedback)
                }
            default: break
            }
        }
        return media.formats.compactMap { UInt8($0) }.compactMap { type in
            guard var format = byType.removeValue(forKey: type) else { return nil }
            format.feedback.formUnion(common)
            format.settle()
            return format
        }
    }

    /// `<payload type> <rest>`, without blanks around either.
    private static func split(_ value: String) -> (UInt8, Substring.UTF8View)? {
        let text = Substring(value).utf8.trimmed
        guard let blank = text.firstIndex(where: \.isBlank), let type = payloadType(text[..<blank]) else { return nil }
        return (type, text[blank...].trimmed)
    }

    /// 64...95 would be taken for RTCP (RFC 5761 section 4).
    private static func payloadType(_ text: Substring.UTF8View) -> UInt8? {
        guard let type = UInt8(Substring(text)), type < 64 || (96...127).contains(type) else { return nil }
        return type
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }
}
