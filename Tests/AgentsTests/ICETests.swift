import TestSupport
import Testing
import Wire

@testable import Agents

@Suite("ICE credentials and candidates")
struct ICETests {
    @Test("passwords are ice-chars, of full length, and follow the generator")
    func passwords() {
        var random = SplitMix(seed: 1)
        let first = ICECredentials.makePassword(using: &random)
        let second = ICECredentials.makePassword(using: &random)
        #expect(ICECredentials.isValid(first, length: 24...24) && first != second)
        random = SplitMix(seed: 1)
        #expect(ICECredentials.makePassword(using: &random) == first)
        #expect(ShortText(first) != nil)
    }

    @Test("our candidates read back, the first with the highest priority")
    func hostCandidates() throws {
        let v4 = ICECandidate(host: try #require(Endpoint("192.0.2.1:3478")), index: 0)
        let v6 = ICECandidate(host: try #require(Endpoint("[2001:db8::1]:3478")), index: 1)
        #expect(v4.text == "candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host")
        #expect(v6.text == "candidate:2 1 udp 2130706175 2001:db8::1 3478 typ host")
        #expect(ICECandidate(try #require(v4.text)) == v4)
        #expect(ICECandidate("a=" + (try #require(v6.text))) == v6)
    }

    @Test("blanks between words and at the end mean nothing")
    func blanks() {
        let plain = ICECandidate("candidate:1 1 udp 5 192.0.2.1 3478 typ host")
        #expect(plain != nil && ICECandidate("candidate:1  1\tudp 5 192.0.2.1 3478  typ host ") == plain)
    }

    @Test("candidates of browsers are understood, names and TCP without an address")
    func remoteCandidates() throws {
        let reflexive = try #require(
            ICECandidate(
                "candidate:842163049 1 udp 1677729535 198.51.100.4 50000 typ srflx raddr 0.0.0.0 rport 0 generation 0"))
        #expect(reflexive.type == "srflx" && reflexive.endpoint == Endpoint("198.51.100.4:50000"))
        let name = try #require(
            ICECandidate(
                "candidate:1 1 UDP 2122252543 0b2e0a3c-7f31-4a2c-9d4a-0f2d6c7a1e55.local 50001 typ host"))
        #expect(name.endpoint == nil && name.text == nil)
        let tcp = try #require(
            ICECandidate("candidate:3 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active"))
        #expect(tcp.endpoint == nil)
    }

    @Test(
        "malformed candidates are ignored",
        arguments: [
            "", "candidate:", "candidate:1 1 udp 1 192.0.2.1 1", "candidate:1 0 udp 1 192.0.2.1 1 typ host",
            "candidate:1 1 udp -1 192.0.2.1 1 typ host", "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
            "candidate:1 1 udp 1 192.0.2.1 1 xyz host", "candidate:1 udp 1 192.0.2.1 1 typ host",
            "candidate:\u{e9} 1 udp 1 192.0.2.1 1 typ host", "1 1 udp 1 192.0.2.1 1 typ host",
            "candidate:1 1 udp 99999999999 192.0.2.1 1 typ host",
            "candidate:1 1 udp 1 " + String(repeating: "a", count: 2000),
        ])
    func malformedCandidates(line: String) {
        #expect(ICECandidate(line) == nil)
    }
}
