import Agents
import Wire

/// What a player offers to receive of one participant, or of the shared screen.
struct PlayerOffer {
    /// Payload types, dynamic ones by RFC 3551.
    static let formats: [(codec: Codec, type: UInt8, name: String, parameters: String?)] = [
        (.opus, 111, "opus/48000/2", "minptime=10;useinbandfec=1"),
        (.vp8, 96, "VP8/90000", nil),
        (.vp9, 98, "VP9/90000", "profile-id=0"),
        (.h264, 102, "H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
        (.av1, 45, "AV1/90000", nil),
    ]

    let ufrag: String
    let password: String
    let fingerprint: Fingerprint
    /// Of the o-line.
    let identifier: UInt32
    let hasSound: Bool

    /// The codec of a payload type that was offered.
    static func codec(_ type: UInt8) -> Codec? { formats.first { $0.type == type }?.codec }

    /// The session description (RFC 8829). Without retransmission streams packets are sent again as they were.
    var text: String {
        let kinds = hasSound ? ["audio", "video"] : ["video"]
        var lines = [
            "v=0", "o=- \(identifier) 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE " + kinds.indices.map(String.init).joined(separator: " "),
            "a=ice-ufrag:\(ufrag)", "a=ice-pwd:\(password)", "a=fingerprint:\(fingerprint.text)",
            // The server's part of DTLS is the server's, as of ICE.
            "a=setup:active",
        ]
        for (index, kind) in kinds.enumerated() {
            let formats = Self.formats.filter { ($0.codec == .opus) == (kind == "audio") }
            lines.append("m=\(kind) 9 UDP/TLS/RTP/SAVPF " + formats.map { "\($0.type)" }.joined(separator: " "))
            lines += ["c=IN IP4 0.0.0.0", "a=mid:\(index)", "a=recvonly", "a=rtcp-mux"]
            for format in formats {
                lines.append("a=rtpmap:\(format.type) \(format.name)")
                if let parameters = format.parameters { lines.append("a=fmtp:\(format.type) \(parameters)") }
                lines.append("a=rtcp-fb:\(format.type) nack")
                if kind == "video" { lines.append("a=rtcp-fb:\(format.type) nack pli") }
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}

/// What of the server's answer a player needs.
struct PlayerAnswer {
    /// Why an answer cannot be used.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let ufrag: String
    let password: String
    let fingerprint: Fingerprint
    /// Where the server is to be checked, the most preferred first.
    let candidates: [Endpoint]

    /// - Throws: `Failure`; `SDPError`.
    init(_ text: String) throws {
        let description = try SessionDescription(parsing: text)
        let attributes = description.attributes + description.media.flatMap(\.attributes)
        func value(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
        guard let ufrag = value("ice-ufrag"), let password = value("ice-pwd") else {
            throw Failure(description: "the answer has no ICE credentials")
        }
        guard let fingerprint = value("fingerprint").flatMap({ Fingerprint($0) }) else {
            throw Failure(description: "the answer has no fingerprint")
        }
        guard value("setup") != "active" else { throw Failure(description: "the server wants to be DTLS's client") }
        let found = attributes.filter { $0.name == "candidate" }
            .compactMap { ICECandidate("candidate:" + $0.value) }.filter { $0.component == 1 && $0.endpoint != nil }
        // They may stand in several m-lines.
        var seen: Set<Endpoint> = []
        candidates = found.sorted { $0.priority > $1.priority }.compactMap(\.endpoint)
            .filter { seen.insert($0).inserted }
        guard !candidates.isEmpty else { throw Failure(description: "the answer has no candidate") }
        (self.ufrag, self.password, self.fingerprint) = (ufrag, password, fingerprint)
    }
}
