import Agents

/// What a simulated client negotiates: a browser's offer without what nobody here reads.
struct PoPOffer {
    var microphone = true
    /// Layers of the camera; 0 without one, more than one are told by their rids.
    var cameraLayers = 1
    var screen = false
    var audioSlots = 3
    var videoSlots = 4
    var screenSlots = 1
    /// The first of the sources that the client sends with.
    var ssrc: UInt32
    /// Of the transport: what its o-lines have in common.
    var session = 1
    /// Of the transport's ICE credentials.
    var generation = 0

    static let rids = ["q", "h", "f"]

    private static let video = [
        "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
    ]
    private static let videoExtensions = [
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    ]
    private static let audio = ["a=rtpmap:111 opus/48000/2"]
    private static let audioExtensions = [
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    ]

    var cameraSSRCs: [UInt32] { (0..<UInt32(cameraLayers)).map { ssrc + 10 + $0 } }
    var screenSSRC: UInt32 { ssrc + 20 }

    /// The encodings of the m-line `v` or `s`; a rid is empty where there is only one.
    func videoSSRCs(of mid: String) -> [(rid: String, ssrc: UInt32)] {
        if mid == "s" { return [("", screenSSRC)] }
        return cameraSSRCs.enumerated().map { (cameraLayers > 1 ? Self.rids[$0] : "", $1) }
    }

    /// SDP with the m-lines `a`, `v` and `s` for what is sent, and numbers for the Slots.
    func text(fingerprint: Fingerprint) -> String {
        var media: [(mid: String, lines: [String])] = []
        if microphone {
            media.append(("a", Self.audio + Self.audioExtensions + ["a=sendonly", "a=ssrc:\(ssrc) cname:x"]))
        }
        if cameraLayers > 0 { media.append(("v", Self.video + Self.videoExtensions + cameraLines)) }
        if screen {
            let lines = ["a=content:slides", "a=sendonly", "a=ssrc:\(screenSSRC) cname:x"]
            media.append(("s", Self.video + Self.videoExtensions + lines))
        }
        let slots = [
            (audioSlots, Self.audio + Self.audioExtensions), (videoSlots, Self.video + Self.videoExtensions),
            (screenSlots, Self.video + Self.videoExtensions + ["a=content:slides"]),
        ]
        for (count, lines) in slots {
            for _ in 0..<count { media.append(("\(media.count)", lines + ["a=recvonly"])) }
        }
        let head = [
            "v=0", "o=- \(session) \(generation + 2) IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE " + media.map(\.mid).joined(separator: " "), "a=ice-ufrag:peer\(generation)",
            "a=ice-pwd:abcdefghijklmnopqrstuv\(generation)", "a=fingerprint:" + fingerprint.text, "a=setup:actpass",
        ]
        let body = media.flatMap { mid, lines in
            let formats =
                lines[0].contains("opus") ? "audio 9 UDP/TLS/RTP/SAVPF 111" : "video 9 UDP/TLS/RTP/SAVPF 96 97"
            return ["m=" + formats, "c=IN IP4 0.0.0.0", "a=mid:" + mid, "a=rtcp-mux"] + lines
        }
        return (head + body).map { $0 + "\r\n" }.joined()
    }

    private var cameraLines: [String] {
        guard cameraLayers > 1 else {
            let (media, repair) = (cameraSSRCs[0], ssrc + 15)
            return [
                "a=sendonly", "a=ssrc-group:FID \(media) \(repair)", "a=ssrc:\(media) cname:x",
                "a=ssrc:\(repair) cname:x",
            ]
        }
        let rids = Self.rids.prefix(cameraLayers)
        return ["a=sendonly"] + rids.map { "a=rid:\($0) send" } + ["a=simulcast:send " + rids.joined(separator: ";")]
    }
}
