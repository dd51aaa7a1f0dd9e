/// An offer with one m-line, to be bent by tests.
struct SmallOffer {
    var session = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE v"]
    var video = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuv", "a=fingerprint:" + hashText("sha-256", of: 0xab), "a=setup:actpass",
        "a=mid:v", "a=sendonly", "a=rtcp-mux", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
    ]

    var text: String { (session + video).joined(separator: "\r\n") + "\r\n" }

    func without(_ prefix: String) -> SmallOffer {
        SmallOffer(
            session: session.filter { !$0.hasPrefix(prefix) }, video: video.filter { !$0.hasPrefix(prefix) })
    }

    func replacing(_ prefix: String, with line: String) -> SmallOffer {
        SmallOffer(
            session: session.map { $0.hasPrefix(prefix) ? line : $0 },
            video: video.map { $0.hasPrefix(prefix) ? line : $0 })
    }

    func adding(_ lines: String...) -> SmallOffer { adding(lines) }

    func adding(_ lines: [String]) -> SmallOffer { SmallOffer(session: session, video: video + lines) }
}

/// The value of an `a=fingerprint` line whose hash repeats one byte.
func hashText(_ name: String, of byte: UInt8) -> String {
    let length = ["sha-1": 20, "sha-256": 32, "sha-384": 48, "sha-512": 64][name]!
    let pair = (byte < 16 ? "0" : "") + String(byte, radix: 16).uppercased()
    return name + " " + [String](repeating: pair, count: length).joined(separator: ":")
}
