import TestSupport
import Testing
import Wire

@testable import Agents

@Suite("Later offers of a session")
struct ContinuationTests {
    private static let slot = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:s", "a=recvonly", "a=rtcp-mux", "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
    ]
    private static let first = SmallOffer().replacing("a=group", with: "a=group:BUNDLE v s").adding(slot)
    private static let restarted = first.replacing("a=ice-ufrag", with: "a=ice-ufrag:wxyz")
        .replacing("a=ice-pwd", with: "a=ice-pwd:0123456789abcdefghijkl")
        .replacing("o=", with: "o=- 1 3 IN IP4 127.0.0.1")

    private func answer(
        _ offer: SmallOffer, after earlier: Negotiation? = nil, ufrag: String = "first", seed: UInt64 = 1
    ) throws -> Negotiation {
        let answerer = Answerer(
            fingerprint: Fingerprint(algorithm: .sha256, bytes: [UInt8](repeating: 0x5a, count: 32))!,
            candidates: [Endpoint("192.0.2.7:3478")!])
        var random = SplitMix(seed: seed)
        return try answerer.answer(
            to: offer.text, after: earlier, ufrag: ufrag, password: ufrag + String(repeating: "p", count: 20),
            using: &random)
    }

    @Test("with other ICE credentials: ours are other ones, and all else stays")
    func restart() throws {
        let earlier = try answer(Self.first)
        let later = try answer(Self.restarted, after: earlier, ufrag: "second", seed: 2)
        #expect(later.isContinuation && !earlier.isContinuation)
        #expect(later.ufrag == "second" && later.remoteUfrag == "wxyz")
        #expect(later.receives == earlier.receives)
        let expected = earlier.answer.replacing("a=ice-ufrag:first\r\n", with: "a=ice-ufrag:second\r\n")
            .replacing("a=ice-pwd:first", with: "a=ice-pwd:second")
            .replacing("o=- \(earlier.sessionID) 2 ", with: "o=- \(earlier.sessionID) 3 ")
        #expect(later.answer == expected)
        #expect(try answer(Self.restarted, after: later, ufrag: "third").version == 3, "it was answered already")
    }

    @Test("with the same ICE credentials: the same answer")
    func repetition() throws {
        let earlier = try answer(Self.first)
        let later = try answer(Self.first, after: earlier, ufrag: "second", seed: 2)
        #expect(later.isContinuation && later.answer == earlier.answer && later.password == earlier.password)
    }

    @Test(
        "another transport, or other m-lines",
        arguments: [
            ("o=", "o=- 2 3 IN IP4 127.0.0.1"), ("a=fingerprint", "a=fingerprint:" + hashText("sha-256", of: 0xac)),
            ("a=setup", "a=setup:passive"), ("a=mid:v", "a=mid:w"), ("a=sendonly", "a=recvonly"),
            ("a=rtpmap:97", "a=rtpmap:97 ulpfec/90000"),
        ])
    func another(prefix: String, line: String) throws {
        let earlier = try answer(Self.first)
        let changed = Self.restarted.replacing(prefix, with: line)
            .replacing("a=group", with: prefix == "a=mid:v" ? "a=group:BUNDLE w s" : "a=group:BUNDLE v s")
        let later = try answer(changed, after: earlier, ufrag: "second", seed: 2)
        #expect(!later.isContinuation && later.ufrag == "second" && later.sessionID != earlier.sessionID)
        #expect(later.receives.first { $0.mid == "s" }?.ssrc != earlier.receives.first { $0.mid == "s" }?.ssrc)
    }
}

extension ReceiveMedia: Equatable {
    public static func == (left: ReceiveMedia, right: ReceiveMedia) -> Bool {
        left.mid == right.mid && left.kind == right.kind && left.payloadTypes == right.payloadTypes
            && left.ssrc == right.ssrc && left.rtxSsrc == right.rtxSsrc
    }
}
