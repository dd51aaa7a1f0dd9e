import TestSupport
import Testing

@testable import Agents

@Suite("Session descriptions")
struct SessionDescriptionTests {
    @Test("lines end with LF or CR LF, and attributes belong to the m-line above")
    func parses() throws {
        let text = "v=0\no=- 1 2 IN IP4 0.0.0.0\ns= \nt=0 0\na=ice-lite\nm=audio 9/2 UDP/TLS/RTP/SAVPF 0 8\na=mid:x:y\n"
        for ending in ["\n", "\r\n"] {
            let description = try SessionDescription(parsing: text.replacing("\n", with: ending))
            #expect(description.attributes == [.init(name: "ice-lite", value: "", line: 5)])
            #expect(
                description.media == [
                    .init(
                        kind: "audio", port: 9, proto: "UDP/TLS/RTP/SAVPF", formats: ["0", "8"],
                        attributes: [.init(name: "mid", value: "x:y", line: 7)], line: 6)
                ])
        }
    }

    @Test(
        "what is malformed is refused with its line",
        arguments: [
            ("", nil), ("hello", nil), ("v=1\no=\ns=\n", 1), ("v=0\ns=-\no=-\n", 2), ("v=0\no=-\ns=-\n\nt=0 0\n", 4),
            ("v=0\no=-\ns=-\nx=1\n", 4), ("v=0\no=-\ns=-\na=\n", 4), ("v=0\no=-\ns=-\na=:x\n", 4),
            ("v=0\no=-\ns=-\nm=audio 70000 X 1\n", 4), ("v=0\no=-\ns=-\nm=audio 9 X\n", 4),
            ("v=0\no=-\ns=-\na=b\0c\n", 4), ("v=0\no=-\ns=-\na=b\rc\n", 4),
        ] as [(String, Int?)])
    func malformed(text: String, line: Int?) {
        let error = #expect(throws: SDPError.self) { try SessionDescription(parsing: text) }
        #expect(error?.reason == .malformed && error?.line == line)
    }

    @Test("sizes are bounded")
    func bounded() throws {
        let head = "v=0\no=-\ns=-\n"
        let media = "m=audio 9 X 0\n"
        #expect(try SessionDescription(parsing: head + String(repeating: media, count: 64)).media.count == 64)
        let refused = [
            head + String(repeating: media, count: 65), head + String(repeating: "a=b\n", count: 12_290),
            head + "a=" + String(repeating: "b", count: 4096) + "\n",
            head + String(repeating: "a=" + String(repeating: "b", count: 1000) + "\n", count: 300),
        ]
        for text in refused {
            let error = #expect(throws: SDPError.self) { try SessionDescription(parsing: text) }
            #expect(error?.reason == .tooLarge)
        }
    }

    @Test("cut or bent anywhere, an offer is answered or refused, and what is answered parses")
    func hostile() throws {
        let offer = Array(ChromiumOffer.text(audioSlots: 1, videoSlots: 1).utf8)
        var random = SplitMix(seed: 3)
        let fingerprint = try #require(Fingerprint(hashText("sha-256", of: 9)))
        let answerer = Answerer(fingerprint: fingerprint, candidates: [])
        var answered = 0
        for round in 0..<400 {
            var bytes = round % 2 == 0 ? offer : Array(offer.prefix(Int(random.next() % UInt64(offer.count))))
            for _ in 0..<3 where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let negotiation = try answerer.answer(to: text, ufrag: "abcd", password: "p", using: &random)
                _ = try SessionDescription(parsing: negotiation.answer)
                answered += 1
            } catch let error {
                #expect(!error.message.isEmpty)
            }
        }
        #expect(answered > 20)
    }
}
