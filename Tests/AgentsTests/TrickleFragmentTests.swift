import Testing

@testable import Agents

@Suite("trickled fragments of a description")
struct TrickleFragmentTests {
    private static let fragment = [
        "a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "m=audio 9 RTP/AVP 0", "a=mid:0",
        "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1",
        "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host", "a=end-of-candidates", "",
    ]

    @Test("credentials and candidates are read, with either end of lines", arguments: ["\r\n", "\n"])
    func reading(end: String) throws {
        let read = try TrickleFragment(parsing: Self.fragment.joined(separator: end))
        #expect(read.ufrag == "EsAw" && read.password == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(read.candidates.map(\.endpoint?.port) == [61764, 61765])
    }

    @Test("an answer's fragment is what it says of ICE, of the first m-line that was accepted")
    func writing() throws {
        let head = [
            "v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "a=ice-lite", "a=group:BUNDLE 1", "a=fingerprint:sha-256 AB",
        ]
        let ice = ["a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1"]
        let refused = ["m=audio 0 UDP/TLS/RTP/SAVPF 111"] + ice + ["a=mid:0"]
        let accepted = ["m=video 3478 UDP/TLS/RTP/SAVPF 96"] + ice + ["a=mid:1"]
        let candidates = ["a=candidate:1 1 udp 2130706431 192.0.2.7 3478 typ host", "a=end-of-candidates"]
        let more = accepted + ["a=recvonly", "a=rtpmap:96 VP8/90000"] + candidates
        let answer = (head + refused + more + refused).joined(separator: "\r\n") + "\r\n"
        let text = TrickleFragment.text(of: answer)
        let expected = ["a=ice-lite", "a=group:BUNDLE 1"] + accepted + candidates
        #expect(text == expected.joined(separator: "\r\n") + "\r\n")
        #expect(try TrickleFragment(parsing: text).candidates.count == 1)
    }

    @Test("candidates alone are enough, and so are credentials")
    func parts() throws {
        #expect(try TrickleFragment(parsing: Self.fragment[2...5].joined(separator: "\r\n")).candidates.count == 2)
        #expect(try TrickleFragment(parsing: Self.fragment[0...1].joined(separator: "\r\n")).candidates.isEmpty)
    }

    @Test(
        "what is none is refused with its line",
        arguments: [
            ("", nil), ("nonsense", 1), ("a=mid:0\r\na=candidate:1 1 udp", 2), ("a=ice-ufrag:x", 1),
            ("a=ice-ufrag:EsAw\r\na=ice-ufrag:other", 2), ("a=ice-pwd:short", 1), ("a=end-of-candidates", nil),
        ])
    func refusing(text: String, line: Int?) {
        let error = #expect(throws: SDPError.self) { try TrickleFragment(parsing: text) }
        #expect(error?.reason == .malformed && error?.line == line)
    }

    @Test("more than anybody has is refused")
    func bounds() {
        let many = String(repeating: Self.fragment[5] + "\n", count: TrickleFragment.maximumCandidates + 1)
        #expect(throws: SDPError.self) { try TrickleFragment(parsing: many) }
        let long = "a=ice-ufrag:EsAw" + String(repeating: "\n", count: TrickleFragment.maximumLines)
        #expect(#expect(throws: SDPError.self) { try TrickleFragment(parsing: long) }?.reason == .tooLarge)
    }
}
