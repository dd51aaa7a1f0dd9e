/// aiortc 1.16: microphone and camera, an audio and a video Slot; REMB and no transport-wide feedback.
enum AiortcOffer {
    static let text = """
        v=0
        o=- 4004243987 4004243987 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE 0 1 2 4
        a=msid-semantic:WMS *
        m=audio 9 UDP/TLS/RTP/SAVPF 96 9 0 8
        c=IN IP4 0.0.0.0
        a=sendonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=mid:0
        a=msid:b3d399a6-5910-4ba7-9646-3dbf195f426f 32b44d36-c302-4923-86f1-7196f05a7b05
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc:524956316 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=rtpmap:96 opus/48000/2
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=end-of-candidates
        a=ice-ufrag:t1JZ
        a=ice-pwd:Q8DGe3NSJpk4Ch16mBEDib
        a=fingerprint:\(hashText("sha-256", of: 0x41))
        a=fingerprint:\(hashText("sha-384", of: 0x04))
        a=fingerprint:\(hashText("sha-512", of: 0xCD))
        a=setup:actpass
        m=video 9 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102
        c=IN IP4 0.0.0.0
        a=sendonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=mid:1
        a=msid:b3d399a6-5910-4ba7-9646-3dbf195f426f b05e3121-5358-4648-a8e9-c2657673bcc6
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc-group:FID 891858824 1980203379
        a=ssrc:891858824 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=ssrc:1980203379 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=rtpmap:97 VP8/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 goog-remb
        a=rtpmap:98 rtx/90000
        a=fmtp:98 apt=97
        a=rtpmap:99 H264/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 goog-remb
        a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=99
        a=rtpmap:101 H264/90000
        a=rtcp-fb:101 nack
        a=rtcp-fb:101 nack pli
        a=rtcp-fb:101 goog-remb
        a=fmtp:101 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        a=rtpmap:102 rtx/90000
        a=fmtp:102 apt=101
        a=end-of-candidates
        a=ice-ufrag:t1JZ
        a=ice-pwd:Q8DGe3NSJpk4Ch16mBEDib
        a=fingerprint:\(hashText("sha-256", of: 0x41))
        a=fingerprint:\(hashText("sha-384", of: 0x04))
        a=fingerprint:\(hashText("sha-512", of: 0xCD))
        a=setup:actpass
        m=audio 9 UDP/TLS/RTP/SAVPF 96 9 0 8
        c=IN IP4 0.0.0.0
        a=recvonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=mid:2
        a=msid:b3d399a6-5910-4ba7-9646-3dbf195f426f 1b077887-856f-4566-84e6-7a048efb54d2
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc:2628790512 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=rtpmap:96 opus/48000/2
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=end-of-candidates
        a=ice-ufrag:t1JZ
        a=ice-pwd:Q8DGe3NSJpk4Ch16mBEDib
        a=fingerprint:\(hashText("sha-256", of: 0x41))
        a=fingerprint:\(hashText("sha-384", of: 0x04))
        a=fingerprint:\(hashText("sha-512", of: 0xCD))
        a=setup:actpass
        m=video 9 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102
        c=IN IP4 0.0.0.0
        a=recvonly
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=mid:4
        a=msid:b3d399a6-5910-4ba7-9646-3dbf195f426f bb529a30-318e-45bf-add8-a287093fcd48
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc-group:FID 568943014 3340998830
        a=ssrc:568943014 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=ssrc:3340998830 cname:dbf78e75-ec01-44bc-8d24-71d054f24eab
        a=rtpmap:97 VP8/90000
        a=rtcp-fb:97 nack
        a=rtcp-fb:97 nack pli
        a=rtcp-fb:97 goog-remb
        a=rtpmap:98 rtx/90000
        a=fmtp:98 apt=97
        a=rtpmap:99 H264/90000
        a=rtcp-fb:99 nack
        a=rtcp-fb:99 nack pli
        a=rtcp-fb:99 goog-remb
        a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:100 rtx/90000
        a=fmtp:100 apt=99
        a=rtpmap:101 H264/90000
        a=rtcp-fb:101 nack
        a=rtcp-fb:101 nack pli
        a=rtcp-fb:101 goog-remb
        a=fmtp:101 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
        a=rtpmap:102 rtx/90000
        a=fmtp:102 apt=101
        a=end-of-candidates
        a=ice-ufrag:t1JZ
        a=ice-pwd:Q8DGe3NSJpk4Ch16mBEDib
        a=fingerprint:\(hashText("sha-256", of: 0x41))
        a=fingerprint:\(hashText("sha-384", of: 0x04))
        a=fingerprint:\(hashText("sha-512", of: 0xCD))
        a=setup:actpass

        """
}
