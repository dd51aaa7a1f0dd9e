/// The transport protocol of an m-line: a hint, as older clients write RTP/AVP or RTP/SAVPF and mean DTLS-SRTP. What
/// decides is whether there is a fingerprint (RFC 9429 section 5.1.2).
struct TransportProfile {
    /// RFC 9429's list, and what libwebrtc once wrote for TCP. An answer repeats the offer's.
    private static let known: Set<String> = [
        "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF",
        "TCP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
    ]

    /// One that means RTP over DTLS-SRTP where there is a fingerprint.
    let isKnown: Bool
    /// By its name nothing is encrypted.
    let isPlain: Bool

    init(_ text: String) {
        isKnown = Self.known.contains(text)
        isPlain = text == "RTP/AVP" || text == "RTP/AVPF"
    }
}
