/// An offer in the style of Firefox: session-level fingerprint, rids without SSRCs of layers, H.264 in both
/// packetization modes, its own extension ids, and a screen whose msid says so.
enum FirefoxOffer {
    static let text = """
        v=0
        o=mozilla...THIS_IS_SDPARTA-128.0 2071284413427387410 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=sendrecv
        a=fingerprint:\(hashText("sha-256", of: 0x1d))
        a=group:BUNDLE 0 1 2 3
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 0.0.0.0
        a=sendonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:b3f0e7a8f9cf0df0bb0f2a0a6c0f8ab2
        a=ice-ufrag:f0a1c2d3
        a=mid:0
        a=msid:{6c7f5c9f-5c5e-4e0e-8a49-fd1b1c1d8f0e} {0f8d3a1e-3b8b-4d3c-9a62-6a2b4ed0a0c1}
        a=rtcp-mux
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000/1
        a=setup:actpass
        a=ssrc:2655508255 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
        \(video(mid: 1, direction: "sendonly", stream: "{6c7f5c9f-5c5e-4e0e-8a49-fd1b1c1d8f0e}"))
        a=rid:high send
        a=rid:low send
        a=rid:mid send
        a=simulcast:send high;low;~mid
        \(video(mid: 2, direction: "sendonly", stream: "screen-1"))
        a=ssrc:1000000001 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
        a=ssrc:1000000002 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
        a=ssrc-group:FID 1000000001 1000000002
        \(video(mid: 3, direction: "recvonly", stream: "-"))

        """

    private static func video(mid: Int, direction: String, stream: String) -> String {
        """
        m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 126 127 97 98 123 122 119
        c=IN IP4 0.0.0.0
        a=\(direction)
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
        a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
        a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:8/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
        a=extmap:9/sendonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
        a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
        a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1
        a=fmtp:120 max-fs=12288;max-fr=60
        a=fmtp:124 apt=120
        a=fmtp:121 max-fs=12288;max-fr=60
        a=fmtp:125 apt=121
        a=fmtp:127 apt=126
        a=fmtp:98 apt=97
        a=fmtp:119 apt=122
        a=ice-pwd:b3f0e7a8f9cf0df0bb0f2a0a6c0f8ab2
        a=ice-ufrag:f0a1c2d3
        a=mid:\(mid)
        a=msid:\(stream) {9a4ed0a0-3b8b-4d3c-9a62-6a2b0f8d3a1e}
        a=rtcp-fb:* transport-cc
        a=rtcp-fb:120 nack
        a=rtcp-fb:120 nack pli
        a=rtcp-fb:120 ccm fir
        a=rtcp-fb:120 goog-remb
        a=rtcp-fb:126 nack
        a=rtcp-fb:126 nack pli
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:120 VP8/90000
        a=rtpmap:124 rtx/90000
        a=rtpmap:121 VP9/90000
        a=rtpmap:125 rtx/90000
        a=rtpmap:126 H264/90000
        a=rtpmap:127 rtx/90000
        a=rtpmap:97 H264/90000
        a=rtpmap:98 rtx/90000
        a=rtpmap:123 ulpfec/90000
        a=rtpmap:122 red/90000
        a=rtpmap:119 rtx/90000
        a=setup:actpass
        """
    }
}
