import Foundation
import TestSupport
import Testing
import Wire

@testable import Agents

func negotiate(
    _ offer: String, codecs: [Codec] = [.vp8, .h264, .vp9, .av1], seed: UInt64 = 1
) throws(SDPError) -> Negotiation {
    let answerer = Answerer(
        fingerprint: Fingerprint(algorithm: .sha256, bytes: [UInt8](repeating: 0x5a, count: 32))!,
        candidates: [Endpoint("192.0.2.7:3478")!, Endpoint("[2001:db8::7]:3478")!], videoCodecs: codecs)
    var random = SplitMix(seed: seed)
    return try answerer.answer(
        to: offer, ufrag: "AAEAAAAFAAAAAABN", password: "abcdefghijklmnopqrstuvwx", using: &random)
}

/// The answer's m-line of that mid, as the parser reads it.
func answered(_ negotiation: Negotiation, mid: String) throws -> SessionDescription.Media {
    try #require(
        try SessionDescription(parsing: negotiation.answer).media.first { $0.attributes.first("mid")?.value == mid })
}

func lines(_ media: SessionDescription.Media, _ name: String) -> [String] { media.attributes.values(name) }

@Suite("Answers to Chromium")
struct ChromiumAnswerTests {
    @Test("the answer parses, and keeps order, kinds and mids of 32 m-lines")
    func keepsOrder() throws {
        let offer = try SessionDescription(parsing: ChromiumOffer.text())
        let negotiation = try negotiate(ChromiumOffer.text())
        let answer = try SessionDescription(parsing: negotiation.answer)
        #expect(offer.media.count == 32 && answer.media.map(\.kind) == offer.media.map(\.kind))
        #expect(
            answer.media.map { $0.attributes.first("mid")?.value }
                == offer.media.map { $0.attributes.first("mid")?.value })
        #expect(answer.media.last?.port == 0, "the data channel is rejected")
        #expect(answer.media.dropLast().allSatisfy { $0.port == 3478 })
        let mids = (0..<31).map(String.init).joined(separator: " ")
        #expect(answer.attributes.values("group") == ["BUNDLE \(mids)"])
        #expect(answer.attributes.has("ice-lite"))
    }

    @Test("the transport is ours: credentials, fingerprint, role and candidates")
    func transport() throws {
        let negotiation = try negotiate(ChromiumOffer.text())
        #expect(negotiation.remoteUfrag == "nrCE" && negotiation.remotePassword == "ciHnPker+0kmpKQ5XQevtiK2")
        #expect(negotiation.fingerprint.bytes == [UInt8](repeating: 0x27, count: 32))
        #expect(negotiation.dtlsRole == .server)
        let first = try answered(negotiation, mid: "0")
        let session = try SessionDescription(parsing: negotiation.answer).attributes
        #expect(
            session.values("fingerprint") == ["sha-256 " + Array(repeating: "5A", count: 32).joined(separator: ":")])
        let all = try SessionDescription(parsing: negotiation.answer).media
        #expect(all.allSatisfy { lines($0, "setup") == ["passive"] }, "webrtcbin wants it in each m-line")
        #expect(lines(first, "ice-ufrag") == ["AAEAAAAFAAAAAABN"])
        #expect(
            lines(first, "candidate") == [
                "1 1 udp 2130706431 192.0.2.7 3478 typ host", "2 1 udp 2130706175 2001:db8::7 3478 typ host",
            ])
        #expect(first.attributes.has("end-of-candidates"))
        // The group's last m-line has the candidates again, and no other.
        let media = try SessionDescription(parsing: negotiation.answer).media
        let accepted = media.filter { $0.port != 0 }
        let with = accepted.filter { $0.attributes.has("candidate") }.compactMap { $0.attributes.first("mid")?.value }
        #expect(with == ["0", "30"])
        #expect(media.allSatisfy { $0.attributes.has("ice-ufrag") && $0.attributes.has("ice-pwd") })
    }

    @Test("microphone and camera are sends, the camera with three layers from the lowest")
    func sends() throws {
        let negotiation = try negotiate(ChromiumOffer.text())
        #expect(negotiation.sends.map(\.mid) == ["0", "1"])
        let (microphone, camera) = (negotiation.sends[0], negotiation.sends[1])
        #expect(microphone.kind == .audio && microphone.codec == .opus && microphone.payloadTypes.media == 111)
        #expect(
            !microphone.payloadTypes.hasRtx
                && microphone.layers == [SendLayer(rid: "", ssrc: 1_752_809_726, rtxSsrc: 0)])
        #expect(camera.kind == .video && camera.codec == .vp8)
        #expect(camera.payloadTypes.media == 96 && camera.payloadTypes.rtx == 97)
        #expect(camera.layers.map(\.rid) == ["l", "m", "h"])
        #expect(camera.stream == "9537739c-14d6-4c6f-9a64-2b534221b55a")
        let answer = try answered(negotiation, mid: "1")
        #expect(answer.attributes.has("recvonly") && answer.formats == ["96", "97"])
        #expect(lines(answer, "rid") == ["l recv", "m recv", "h recv"])
        #expect(lines(answer, "simulcast") == ["recv l;m;h"])
        #expect(lines(answer, "ssrc").isEmpty)
    }

    @Test(
        "the preferred codec is chosen for a camera",
        arguments: zip([Codec.h264, .vp9, .av1], [108, 98, 45] as [UInt8]))
    func preference(codec: Codec, type: UInt8) throws {
        let negotiation = try negotiate(ChromiumOffer.text(), codecs: [codec, .vp8])
        #expect(negotiation.sends[1].codec == codec)
        #expect(negotiation.sends[1].payloadTypes.media == type && negotiation.sends[1].payloadTypes.rtx == type + 1)
        #expect(try answered(negotiation, mid: "1").formats == ["\(type)", "\(type + 1)"])
    }

    @Test("each Slot has every codec that we share, its own stream, and SSRCs of its own")
    func slots() throws {
        let negotiation = try negotiate(ChromiumOffer.text())
        #expect(negotiation.receives.map(\.mid) == (2..<31).map(String.init))
        #expect(
            negotiation.receives.map(\.kind) == [.audio, .audio, .audio] + [MediaKind](repeating: .video, count: 26))
        let ssrcs = negotiation.receives.flatMap { [$0.ssrc] + ($0.kind == .audio ? [] : [$0.rtxSsrc]) }
        #expect(Set(ssrcs).count == 3 + 52 && !ssrcs.contains(0))
        #expect(negotiation.receives[0].rtxSsrc == 0)
        #expect(negotiation.receives[0].payloadTypes[.opus].media == 111)
        let types = negotiation.receives[3].payloadTypes
        for (codec, type) in zip([Codec.vp8, .vp9, .h264, .av1], [96, 98, 108, 45] as [UInt8]) {
            #expect(types[codec].media == type && types[codec].rtx == type + 1)
        }
        let slot = try answered(negotiation, mid: "5")
        #expect(slot.attributes.has("sendonly"))
        #expect(slot.formats == ["96", "97", "98", "99", "108", "109", "45", "46"])
        #expect(lines(slot, "msid") == ["slot0 5"])
        let (ssrc, rtx) = (negotiation.receives[3].ssrc, negotiation.receives[3].rtxSsrc)
        #expect(lines(slot, "ssrc-group") == ["FID \(ssrc) \(rtx)"])
        #expect(lines(slot, "ssrc").count == 2)
        #expect(
            lines(slot, "fmtp").contains("108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"))
        #expect(lines(slot, "fmtp").contains("109 apt=108"))
    }

    @Test("feedback is transport-wide and not REMB, and the extensions keep the offer's ids")
    func feedback() throws {
        let negotiation = try negotiate(ChromiumOffer.text())
        #expect(negotiation.transportFeedback && negotiation.reducedSizeRTCP)
        var map = ExtensionMap()
        (map.mid, map.rid, map.repairedRid, map.audioLevel) = (4, 10, 11, 1)
        (map.absSendTime, map.transportSequence, map.videoOrientation, map.dependencyDescriptor) = (2, 3, 13, 12)
        map.slotDescriptor = 12
        #expect(negotiation.extensions == map)
        let camera = try answered(negotiation, mid: "1")
        #expect(lines(camera, "rtcp-fb") == ["96 transport-cc", "96 ccm fir", "96 nack", "96 nack pli"])
        #expect(lines(camera, "extmap").count == 7, "toffset, playout-delay and their like are dropped")
        let slot = try answered(negotiation, mid: "5")
        #expect(
            lines(slot, "extmap").map { $0.prefix(2) } == ["13", "3 ", "4 ", "12"],
            "what Slots have no use for is dropped")
        #expect(lines(slot, "rtcp-fb") == ["* transport-cc", "* ccm fir", "* nack", "* nack pli"])
        let microphone = try answered(negotiation, mid: "0")
        #expect(lines(microphone, "rtcp-fb") == ["111 transport-cc"])
        #expect(lines(microphone, "fmtp") == ["111 minptime=10;useinbandfec=1"])
    }

    @Test("header forms are mixed, and Slots have the dependency descriptor, where the offer allows it, at its level")
    func mixedHeaders() throws {
        let offer = ChromiumOffer.text()
        let line = "a=extmap-allow-mixed\r\n"
        #expect(offer.ranges(of: line).count == 1)
        let everywhere = try negotiate(offer)
        let session = try SessionDescription(parsing: everywhere.answer)
        #expect(session.attributes.has("extmap-allow-mixed"))
        #expect(!session.media.contains { $0.attributes.has("extmap-allow-mixed") })

        let nowhere = try negotiate(offer.replacing(line, with: ""))
        #expect(!nowhere.answer.contains("extmap-allow-mixed") && nowhere.extensions.slotDescriptor == 0)
        #expect(!(try lines(answered(nowhere, mid: "5"), "extmap").contains { $0.hasPrefix("12 ") }))

        let slots = offer.replacing(line, with: "").replacing("a=recvonly\r\n", with: "a=recvonly\r\n" + line)
        let some = try negotiate(slots)
        #expect(!(try SessionDescription(parsing: some.answer).attributes.has("extmap-allow-mixed")))
        #expect(try !answered(some, mid: "1").attributes.has("extmap-allow-mixed"))
        #expect(try answered(some, mid: "5").attributes.has("extmap-allow-mixed"))
        #expect(some.extensions.slotDescriptor == 12)

        // One Slot that may not mix is enough: ids and headers are the Session's.
        let last = try #require(slots.range(of: line, options: .backwards))
        let most = try negotiate(slots.replacingCharacters(in: last, with: ""))
        #expect(most.extensions.slotDescriptor == 0 && most.extensions.dependencyDescriptor == 12)
    }

    @Test("the same generator makes the same answer, another one other SSRCs")
    func randomnessIsAnArgument() throws {
        let first = try negotiate(ChromiumOffer.text(), seed: 5)
        #expect(try negotiate(ChromiumOffer.text(), seed: 5).answer == first.answer)
        #expect(try negotiate(ChromiumOffer.text(), seed: 6).receives[0].ssrc != first.receives[0].ssrc)
    }
}

@Suite("Answers to Firefox and aiortc")
struct OtherAnswerTests {
    @Test("Firefox: session fingerprint, layers by name, screen by msid, one H.264")
    func firefox() throws {
        let negotiation = try negotiate(FirefoxOffer.text)
        #expect(negotiation.fingerprint.bytes == [UInt8](repeating: 0x1d, count: 32))
        #expect(negotiation.sends.map(\.kind) == [.audio, .video, .screen])
        #expect(negotiation.sends[1].layers.map(\.rid) == ["low", "mid", "high"])
        #expect(negotiation.sends[2].layers == [SendLayer(rid: "", ssrc: 1_000_000_001, rtxSsrc: 1_000_000_002)])
        #expect(negotiation.receives.map(\.kind) == [.video] && negotiation.receives[0].mid == "3")
        let types = negotiation.receives[0].payloadTypes
        #expect(types[.vp8].media == 120 && types[.vp8].rtx == 124 && types[.vp9].media == 121)
        #expect(types[.h264].media == 126 && types[.h264].rtx == 127 && !types[.av1].hasMedia)
        #expect(negotiation.transportFeedback)
        #expect(!negotiation.reducedSizeRTCP, "the audio m-line does not offer it")
        let audio = try answered(negotiation, mid: "0")
        #expect(lines(audio, "fmtp") == ["109 useinbandfec=1"], "stereo is not asked for")
        #expect(lines(audio, "extmap").allSatisfy { !$0.contains("csrc") })
        let camera = try answered(negotiation, mid: "1")
        #expect(lines(camera, "simulcast") == ["recv low;mid;high"])
        #expect(lines(camera, "extmap").contains("8/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"))
        #expect(lines(camera, "rtcp-fb") == ["120 transport-cc", "120 ccm fir", "120 nack", "120 nack pli"])
    }

    @Test("aiortc: no REMB, as none is sent, the strongest fingerprint, layers by SSRC")
    func aiortc() throws {
        let negotiation = try negotiate(AiortcOffer.text)
        #expect(!negotiation.transportFeedback && !negotiation.reducedSizeRTCP)
        #expect(negotiation.fingerprint.algorithm == .sha512)
        #expect(negotiation.sends[1].layers == [SendLayer(rid: "", ssrc: 891_858_824, rtxSsrc: 1_980_203_379)])
        #expect(negotiation.receives.map(\.kind) == [.audio, .video])
        #expect(negotiation.receives[1].payloadTypes[.h264].media == 101, "42001f is not constrained baseline")
        let camera = try answered(negotiation, mid: "1")
        #expect(lines(camera, "rtcp-fb") == ["97 nack", "97 nack pli"])
        #expect(!camera.attributes.has("rtcp-rsize"))
    }
}

@Suite("Answers to unusual offers")
struct UnusualOfferTests {
    @Test("a sendrecv m-line is a send and a Slot, with the chosen codec first")
    func sendrecv() throws {
        let offer = SmallOffer().replacing("a=sendonly", with: "a=sendrecv")
            .replacing("m=video", with: "m=video 9 UDP/TLS/RTP/SAVPF 100 96 97")
            .adding("a=rtpmap:100 VP9/90000", "a=rtcp-fb:96 nack")
        let negotiation = try negotiate(offer.text)
        #expect(negotiation.sends.map(\.codec) == [.vp8] && negotiation.receives.count == 1)
        #expect(negotiation.receives[0].payloadTypes[.vp9].media == 100)
        let answer = try answered(negotiation, mid: "v")
        #expect(answer.attributes.has("sendrecv") && answer.formats == ["96", "97", "100"])
    }

    @Test(
        "the role follows a=setup",
        arguments: zip(["actpass", "active", "passive"], [DTLSRole.server, .server, .client]))
    func role(setup: String, role: DTLSRole) throws {
        let negotiation = try negotiate(SmallOffer().replacing("a=setup", with: "a=setup:\(setup)").text)
        #expect(negotiation.dtlsRole == role)
        let media = try SessionDescription(parsing: negotiation.answer).media
        #expect(media.flatMap { lines($0, "setup") } == [role == .server ? "passive" : "active"])
    }

    @Test(
        "an offer that lacks what a session needs says what",
        arguments: [
            ("a=ice-ufrag", "the offer has no a=ice-ufrag"), ("a=ice-pwd", "the offer has no a=ice-pwd"),
            ("a=fingerprint", "the offer has no a=fingerprint"),
            ("a=rtcp-mux", "line 6: this m-line has no a=rtcp-mux"),
            ("a=rtpmap:96", "no m-line can be accepted (line 6: no codec is shared)"),
            ("m=", "no m-line can be accepted"),
        ])
    func lacking(prefix: String, message: String) {
        let error = #expect(throws: SDPError.self) { try negotiate(SmallOffer().without(prefix).text) }
        #expect(error?.description == message && error?.reason == .unusable)
    }

    @Test(
        "a bad line is named",
        arguments: [
            ("a=ice-ufrag", "a=ice-ufrag:a b", "line 8: an ice-ufrag is 4 to 256 ice-chars"),
            ("a=ice-pwd", "a=ice-pwd:short", "line 9: an ice-pwd is 22 to 256 ice-chars"),
            ("a=mid", "a=mid:seventeen-letters", "line 12: a mid is a token of at most 16 bytes"),
            ("a=setup", "a=setup:holdconn", "line 11: a=setup is none of actpass, active, passive"),
            ("m=video", "m=video x UDP/TLS/RTP/SAVPF 96", "line 6: an m-line is m=<media> <port> <proto> <fmt> ..."),
            (
                "a=fingerprint", "a=fingerprint:" + hashText("sha-1", of: 1),
                "line 10: no fingerprint is a well-formed SHA-256, SHA-384 or SHA-512 one"
            ),
        ])
    func named(prefix: String, line: String, message: String) {
        let error = #expect(throws: SDPError.self) {
            try negotiate(SmallOffer().replacing(prefix, with: line).text)
        }
        #expect(error?.description == message)
    }

    @Test("several m-lines without BUNDLE are refused, two of one mid too")
    func bundle() {
        var twice = SmallOffer()
        twice.video += twice.video
        #expect(throws: SDPError.self) { try negotiate(twice.text) }
        let error = #expect(throws: SDPError.self) { try negotiate(twice.without("a=group").without("a=mid").text) }
        #expect(error?.message == "the offer has no a=group:BUNDLE")
    }

    @Test("only the m-line without a common codec is rejected")
    func noCommonCodec() throws {
        var offer = SmallOffer().replacing("a=group", with: "a=group:BUNDLE a v")
        offer.session += [
            "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:a", "a=rtpmap:0 PCMU/8000", "a=recvonly", "a=rtcp-mux",
        ]
        let negotiation = try negotiate(offer.text)
        #expect(negotiation.sends.map(\.mid) == ["v"] && negotiation.receives.isEmpty)
        let answer = try SessionDescription(parsing: negotiation.answer)
        #expect(answer.media.map(\.port) == [0, 3478] && answer.attributes.values("group") == ["BUNDLE v"])
        #expect(answer.media[1].attributes.has("candidate"))
    }

    @Test("publishers may tell their absolute capture times, which Slots are not sent")
    func absoluteCaptureTimes() throws {
        let line = "a=extmap:7 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        var offer = SmallOffer().adding(line).replacing("a=group", with: "a=group:BUNDLE v w")
        offer.video +=
            SmallOffer().adding(line).replacing("a=mid", with: "a=mid:w").replacing("a=sendonly", with: "a=recvonly")
            .video
        let negotiation = try negotiate(offer.text)
        #expect(negotiation.extensions.absCaptureTime == 7)
        #expect(lines(try answered(negotiation, mid: "v"), "extmap").count == 1)
        #expect(lines(try answered(negotiation, mid: "w"), "extmap").isEmpty)
    }

    @Test("an extension id that means two things is left out the second time")
    func contradictoryExtensions() throws {
        var offer = SmallOffer().adding("a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid")
            .replacing("a=group", with: "a=group:BUNDLE v w")
        offer.video +=
            SmallOffer().replacing("a=mid", with: "a=mid:w").video + [
                "a=extmap:3 urn:3gpp:video-orientation", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
                "a=extmap:200 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            ]
        let negotiation = try negotiate(offer.text)
        #expect(negotiation.extensions.mid == 3 && negotiation.extensions.videoOrientation == 0)
        #expect(lines(try answered(negotiation, mid: "w"), "extmap").isEmpty)
    }

    @Test("blanks at the end of a line and between words mean nothing")
    func blanks() throws {
        let plain = SmallOffer().adding("a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:* ccm fir")
            .adding(
                "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid", "a=rid:q send", "a=rid:f send",
                "a=simulcast:send q;f", "a=ssrc:7 cname:c", "a=rtcp-xr:rcvr-rtt=all", "a=content:slides")
        let (session, video) = (plain.session, plain.video)
        let written = try negotiate(plain.text)
        #expect(
            lines(try answered(written, mid: "v"), "rtcp-fb") == ["96 ccm fir", "96 nack", "96 nack pli"])
        // Double, at the ends, and tabs; no word stands directly behind a colon.
        for (inside, end, colon) in [("  ", "", ":"), (" ", "  ", ":"), ("\t", " \t", ":"), (" \t ", "\t", ": ")] {
            var blank = SmallOffer(session: session, video: video)
            blank.video = video.map { line in
                guard line.hasPrefix("a=") || line.hasPrefix("m=") else { return line }
                return line.replacing(" ", with: inside).replacing(":", with: colon, maxReplacements: 1) + end
            }
            blank.session[4] = "a=group\(colon)BUNDLE\(inside)v\(end)"
            let given = try negotiate(blank.text)
            #expect(given.answer == written.answer)
            #expect(given.sends[0].layers == written.sends[0].layers && given.extensions == written.extensions)
        }
    }

    @Test("m-lines that say nearly the same are told apart")
    func nearlyTheSame() throws {
        let offer = ChromiumOffer.text().replacing(
            "a=mid:6\r\n", with: "a=mid:6\r\na=rtcp-fb:96 goog-remb\r\n", maxReplacements: 1)
        let one = offer.replacing("a=fmtp:97 apt=96\r\n", with: "", maxReplacements: 1)
        let negotiation = try negotiate(one)
        let whole = try negotiate(offer)
        #expect(lines(try answered(negotiation, mid: "1"), "rtpmap") == ["96 VP8/90000"])
        #expect(
            lines(try answered(negotiation, mid: "7"), "rtpmap") == lines(try answered(whole, mid: "7"), "rtpmap"))
        #expect(whole.receives.allSatisfy { $0.kind == .audio || $0.rtxSsrc != 0 })
    }

    @Test("transport-cc without its header extension is not agreed on")
    func feedbackNeedsExtension() throws {
        let negotiation = try negotiate(SmallOffer().adding("a=rtcp-fb:96 transport-cc", "a=rtcp-fb:96 nack").text)
        #expect(!negotiation.transportFeedback)
        #expect(lines(try answered(negotiation, mid: "v"), "rtcp-fb") == ["96 nack"])
    }

    @Test(
        "the order of layers",
        arguments: [
            ("f;h;q", ["q", "h", "f"]), ("2;0;1", ["0", "1", "2"]), ("h;l", ["l", "h"]), ("tiny;big", ["tiny", "big"]),
            ("a;b;c;d", ["a", "b", "c"]), ("a,b;c", ["a", "c"]), ("~a;b", ["a", "b"]), (";;,", []),
        ])
    func layerOrder(list: String, order: [String]) throws {
        var offer = SmallOffer().adding("a=simulcast:send \(list)")
        let rids = ["f", "h", "q", "0", "1", "2", "l", "tiny", "big", "a", "b", "c", "d"]
        offer.video += rids.map { "a=rid:\($0) send" }
        #expect(try negotiate(offer.text).sends[0].layers.map(\.rid) == (order.isEmpty ? [""] : order))
    }

    @Test("an m-line that is bundle-only needs no transport lines of its own")
    func bundleOnly() throws {
        var offer = SmallOffer().replacing("a=group", with: "a=group:BUNDLE v w")
        offer.video +=
            SmallOffer().replacing("a=mid", with: "a=mid:w").replacing(
                "m=video", with: "m=video 0 UDP/TLS/RTP/SAVPF 96"
            )
            .without("a=ice").without("a=fingerprint").without("a=setup").without("a=rtcp-mux").video + [
                "a=bundle-only"
            ]
        let negotiation = try negotiate(offer.text)
        #expect(negotiation.sends.map(\.mid) == ["v", "w"])
    }

    @Test("sound that is received alone may come with what was sent before it")
    func redundantSound() throws {
        let negotiation = try negotiate(ChromiumOffer.text())
        let sounds = negotiation.receives.filter { $0.kind == .audio }
        #expect(sounds.count == 3 && sounds.allSatisfy { $0.payloadTypes[.opus] == PayloadTypes(media: 111, red: 63) })
        for sound in sounds {
            let line = try answered(negotiation, mid: sound.mid)
            #expect(lines(line, "rtpmap") == ["111 opus/48000/2", "63 red/48000/2"])
            #expect(lines(line, "fmtp").contains("63 111/111"))
        }
        // A publisher would have to be understood.
        #expect(lines(try answered(negotiation, mid: "0"), "rtpmap") == ["111 opus/48000/2"])
        // Of another format, or of nothing.
        for parameters in ["111/9", "111", "x/111", ""] {
            let offer = ChromiumOffer.text().replacing("a=fmtp:63 111/111", with: "a=fmtp:63 \(parameters)")
            let other = try negotiate(offer)
            #expect(other.receives.allSatisfy { !$0.payloadTypes[.opus].hasRed }, "\(parameters)")
        }
    }
}
