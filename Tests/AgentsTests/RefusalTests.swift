import Testing
import Wire

@testable import Agents

/// Offers with several m-lines of small kinds.
private func offer(_ media: [(kind: String, direction: String, more: [String])]) -> String {
    var offer = SmallOffer()
    offer.session[4] = "a=group:BUNDLE " + media.indices.map(String.init).joined(separator: " ")
    let transport = offer.video.filter { $0.hasPrefix("a=ice") || $0.hasPrefix("a=fing") || $0.hasPrefix("a=setup") }
    let lines = media.enumerated().flatMap { index, media in
        let codec = media.kind == "audio" ? "a=rtpmap:96 opus/48000/2" : "a=rtpmap:96 VP8/90000"
        return ["m=\(media.kind) 9 UDP/TLS/RTP/SAVPF 96"] + transport
            + ["a=mid:\(index)", "a=rtcp-mux", "a=\(media.direction)", codec] + media.more
    }
    return (offer.session + lines).joined(separator: "\r\n") + "\r\n"
}

/// Why an m-line is refused, as the answer says it.
private func reasons(_ negotiation: Negotiation) -> [String] {
    negotiation.answer.split(separator: "\r\n").filter { $0.hasPrefix("i=") }.map { String($0.dropFirst(2)) }
}

@Suite("What is answered is served")
struct ServedTests {
    @Test("two sounds, a camera and a screen are served, and no more")
    func sources() throws {
        let kinds = ["audio", "video", "audio", "video", "audio", "video"]
        let negotiation = try negotiate(offer(kinds.map { ($0, "sendonly", []) }))
        #expect(negotiation.sends.map(\.mid) == ["0", "1", "2", "3"])
        #expect(negotiation.sends.map(\.kind) == [.audio, .video, .audio, .screen])
        let answer = try SessionDescription(parsing: negotiation.answer)
        #expect(answer.media.map(\.port) == [3478, 3478, 3478, 3478, 0, 0])
        #expect(
            reasons(negotiation) == [
                "refused: two audio sources of a participant are served",
                "refused: one camera and one screen of a participant are served",
            ])
    }

    @Test("where a video says that it is the screen, no other is")
    func namedScreen() throws {
        let negotiation = try negotiate(
            offer([
                ("video", "sendonly", []), ("video", "sendonly", []), ("video", "sendonly", ["a=content:slides"]),
            ]))
        #expect(negotiation.sends.map(\.mid) == ["0", "2"] && negotiation.sends.map(\.kind) == [.video, .screen])
    }

    @Test("an m-line whose source is one too many is a Slot where the client receives in it")
    func slotAlone() throws {
        let negotiation = try negotiate(offer((0..<3).map { _ in ("video", "sendrecv", ["a=rid:q send"]) }))
        #expect(negotiation.sends.map(\.mid) == ["0", "1"])
        #expect(negotiation.receives.map(\.mid) == ["0", "1", "2"])
        #expect(
            negotiation.receives.map(\.kind) == [.video, .video, .video], "what is sent is no word on what is shown")
        let last = try answered(negotiation, mid: "2")
        #expect(last.attributes.has("sendonly") && !last.attributes.has("rid"))
    }

    @Test("what may be asked of a publisher is what it agreed to")
    func feedback() throws {
        let all = SmallOffer().adding("a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir")
        #expect(try negotiate(all.text).sends[0].feedback == .all)
        #expect(try negotiate(all.without("a=rtcp-fb:96 nack").text).sends[0].feedback == .fir)
        #expect(try negotiate(SmallOffer().adding("a=rtcp-fb:* nack pli").text).sends[0].feedback == .pli)
        #expect(try negotiate(SmallOffer().text).sends[0].feedback == [])
    }

    @Test("REMB, which is never sent, is not answered, and nothing is repeated that cannot be asked for")
    func notProduced() throws {
        let offer = SmallOffer().adding("a=rtcp-fb:96 goog-remb")
        let answer = try answered(negotiate(offer.text), mid: "v")
        #expect(lines(answer, "rtcp-fb").isEmpty && answer.formats == ["96"])
        #expect(try answered(negotiate(offer.adding("a=rtcp-fb:96 nack").text), mid: "v").formats == ["96", "97"])
        let audio = SmallOffer().replacing("m=video", with: "m=audio 9 UDP/TLS/RTP/SAVPF 96 97")
            .replacing("a=rtpmap:96", with: "a=rtpmap:96 opus/48000/2")
            .replacing("a=rtpmap:97", with: "a=rtpmap:97 rtx/48000/2").adding("a=rtcp-fb:96 nack")
        let sound = try answered(negotiate(audio.text), mid: "v")
        #expect(lines(sound, "rtcp-fb").isEmpty && sound.formats == ["96"], "packets of sound are not asked for again")
    }

    @Test("a receiver's reference time is answered where the offer has one")
    func referenceTime() throws {
        let with = try negotiate(SmallOffer().adding("a=rtcp-xr:pkt-loss-rle rcvr-rtt=all:1000 stat-summary").text)
        #expect(lines(try answered(with, mid: "v"), "rtcp-xr") == ["rcvr-rtt=all"])
        let without = try negotiate(SmallOffer().adding("a=rtcp-xr:rcvr-rtt=sender").text)
        #expect(!without.answer.contains("rtcp-xr"))
    }

    @Test("MID is enough to know a source by")
    func midAlone() throws {
        let negotiation = try negotiate(SmallOffer().adding("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid").text)
        #expect(negotiation.extensions.mid == 4)
        #expect(negotiation.sends[0].mid == "v")
        #expect(negotiation.sends[0].layers == [SendLayer(rid: "", ssrc: 0, rtxSsrc: 0)])
    }
}

@Suite("H.264 by its parameters")
struct H264AnswerTests {
    private func negotiateH264(_ parameters: String?, direction: String) throws -> Negotiation {
        let offer = SmallOffer().without("a=rtpmap").without("a=fmtp").without("a=sendonly")
            .adding("a=\(direction)", "a=rtpmap:96 H264/90000")
        return try negotiate(parameters.map { offer.adding("a=fmtp:96 \($0)") }?.text ?? offer.text)
    }

    @Test(
        "the answer repeats what configures the format, and nothing of the offerer's stream",
        arguments: [
            (
                "packetization-mode=1;profile-level-id=42e01f;sprop-parameter-sets=Z0LA,aMuM;x-google-start-bitrate=900",
                ["96 packetization-mode=1;profile-level-id=42e01f"]
            ),
            ("profile-level-id=42c01f; packetization-mode=1", ["96 packetization-mode=1;profile-level-id=42c01f"]),
            ("level-asymmetry-allowed=1;packetization-mode=1", ["96 level-asymmetry-allowed=1;packetization-mode=1"]),
            ("profile-level-id=42001f;packetization-mode=1", ["96 packetization-mode=1;profile-level-id=42001f"]),
            ("packetization-mode=0", ["96 packetization-mode=0"]), (nil, []),
        ])
    func publisher(parameters: String?, answer: [String]) throws {
        let negotiation = try negotiateH264(parameters, direction: "sendonly")
        #expect(negotiation.sends[0].codec == .h264)
        #expect(lines(try answered(negotiation, mid: "v"), "fmtp") == answer)
    }

    @Test("who takes single NAL units alone is told why it gets none", arguments: [nil, "packetization-mode=0"])
    func receiver(parameters: String?) {
        for direction in ["recvonly", "sendrecv"] {
            let error = #expect(throws: SDPError.self) { try negotiateH264(parameters, direction: direction) }
            #expect(
                error?.description == "no m-line can be accepted (line 6: no codec is shared: "
                    + "H.264 is taken in baseline profiles with packetization-mode=1)")
        }
    }

    @Test(
        "other profiles and interleaved packets are refused",
        arguments: ["profile-level-id=64001f;packetization-mode=1", "packetization-mode=2"])
    func refused(parameters: String) {
        #expect(throws: SDPError.self) { try negotiateH264(parameters, direction: "sendonly") }
    }
}

@Suite("Errors in words")
struct RefusalTests {
    @Test(
        "a fingerprint decides and the protocol is mirrored",
        arguments: [
            "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF",
            "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
        ])
    func protocols(name: String) throws {
        let offer = SmallOffer().replacing("m=video", with: "m=video 9 \(name) 96 97")
        #expect(try answered(negotiate(offer.text), mid: "v").proto == name)
        let error = #expect(throws: SDPError.self) { try negotiate(offer.without("a=fingerprint").text) }
        #expect(
            error?.description
                == (name.contains("SAVP")
                    ? "the offer has no a=fingerprint"
                    : "no m-line can be accepted (line 6: RTP is not served without encryption; DTLS-SRTP needs an "
                        + "a=fingerprint)"))
    }

    @Test("other protocols and other media are refused, and the rest is answered")
    func others() throws {
        let text = offer([("video", "sendonly", []), ("video", "sendonly", []), ("video", "sendonly", [])])
            .replacing("m=video 9 UDP/TLS/RTP/SAVPF 96", with: "m=video 9 RTP/FOO 96", maxReplacements: 1)
            .replacing("m=video 9 UDP/TLS", with: "m=text 9 UDP/TLS", maxReplacements: 1)
        let negotiation = try negotiate(text)
        #expect(negotiation.sends.map(\.mid) == ["2"])
        #expect(
            reasons(negotiation) == [
                "refused: this transport protocol is not served", "refused: only audio and video are served",
            ])
    }

    @Test("why all m-lines are refused is said of the first four")
    func allRefused() {
        let text = offer((0..<6).map { _ in ("audio", "sendonly", []) }).replacing("opus", with: "isac")
        let error = #expect(throws: SDPError.self) { try negotiate(text) }
        let reason = "no codec is shared: sound is taken in Opus"
        #expect(
            error?.description
                == "no m-line can be accepted (line 6: \(reason); line 15: \(reason); line 24: \(reason); "
                + "line 33: \(reason))")
        #expect(error?.reason == .unusable)
    }

    @Test(
        "simulcast of layers that are not declared",
        arguments: [
            ("a;ghost", "names a rid that no a=rid declares for sending"),
            ("a,ghost", "names a rid that no a=rid declares for sending"),
            ("a;b", "names a rid that no a=rid declares for sending"),
            ("a;~ghost", "names a rid that no a=rid declares for sending"),
            ("a;much-too-long-a-name", "a rid is at most 16 letters, digits, hyphens and underscores"),
        ])
    func simulcast(list: String, message: String) {
        let offer = SmallOffer().adding(
            "a=rid:a send", "a=rid:b recv", "a=rid:much-too-long-a-name send", "a=simulcast:send \(list)")
        let error = #expect(throws: SDPError.self) { try negotiate(offer.text) }
        #expect(error?.message.hasSuffix(message) == true && error?.line == 21 && error?.reason == .unusable)
    }

    @Test("who only receives may be sent no layers that it names")
    func receivedSimulcast() throws {
        let offer = SmallOffer().replacing("a=sendonly", with: "a=recvonly").adding("a=simulcast:recv a;ghost")
        #expect(try negotiate(offer.text).receives.count == 1)
    }

    @Test("two ICE-lite agents", arguments: [true, false])
    func lite(inSession: Bool) {
        var offer = SmallOffer()
        if inSession { offer.session.append("a=ice-lite") } else { offer.video.append("a=ice-lite") }
        let error = #expect(throws: SDPError.self) { try negotiate(offer.text) }
        #expect(error?.message == "a=ice-lite: this side is ICE-lite too, so nobody would connect")
        #expect(error?.line == (inSession ? 6 : 18))
    }
}
