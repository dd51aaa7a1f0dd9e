import Agents
import CSRTP
import Foundation
import TestSupport
import Testing
import Wire

@testable import needletail

/// The server's end of a player's session, sans I/O: an ICE-lite agent, DTLS's server, SRTP.
private final class FakeServer {
    let ufrag = "AAEAAAAFAAAAAABN"
    let password = "abcdefghijklmnopqrstuvwx"
    let certificate: Certificate
    private var handshake: DTLSHandshake?
    private var sealing: srtp_t?
    private var opening: srtp_t?
    private(set) var checks = 0

    init() throws { certificate = try Certificate(notBefore: 1_700_000_000) }

    deinit {
        if let sealing { srtp_dealloc(sealing) }
        if let opening { srtp_dealloc(opening) }
    }

    func answer(to offer: PlayerOffer) throws -> PlayerAnswer {
        var generator = SplitMix(seed: 1)
        let answerer = Answerer(
            fingerprint: certificate.fingerprint,
            candidates: [Endpoint("192.0.2.7:3478")!, Endpoint("[2001:db8::7]:3478")!])
        let agreed = try answerer.answer(to: offer.text, ufrag: ufrag, password: password, using: &generator)
        #expect(agreed.dtlsRole == .server)
        return try PlayerAnswer(agreed.answer)
    }

    /// What it sends because of a datagram.
    func take(_ datagram: [UInt8], from offer: PlayerOffer, now: UInt64) throws -> [[UInt8]] {
        switch datagram.withUnsafeBytes({ PacketKind($0) }) {
        case .stun: return try [response(to: datagram, from: offer)]
        case .dtls:
            let handshake =
                try self.handshake
                ?? DTLSHandshake(certificate: certificate, role: .server, peer: offer.fingerprint, now: now)
            self.handshake = handshake
            datagram.withUnsafeBytes { handshake.receive($0, now: now) }
            if case .connected(let profile, let receive, let send) = handshake.state, sealing == nil {
                sealing = Self.context(profile, send, ssrc_any_outbound)
                opening = Self.context(profile, receive, ssrc_any_inbound)
            }
            var out: [[UInt8]] = []
            while let next = handshake.nextOutgoing() { out.append(next) }
            return out
        default: return []
        }
    }

    private func response(to datagram: [UInt8], from offer: PlayerOffer) throws -> [UInt8] {
        try datagram.withUnsafeBytes { raw in
            let request = try #require(STUNMessage(raw))
            let covered = try #require(request.integrityOffset)
            var bytes = Array(raw.prefix(covered))
            bytes[2] = UInt8((covered + 4) >> 8)
            bytes[3] = UInt8((covered + 4) & 0xff)
            let tag = bytes.withUnsafeBytes { Hash.hmac($0, key: Array(password.utf8), .sha1) }
            #expect(Array(request.attribute(STUNAttributeType.messageIntegrity)!.value) == tag)
            #expect(request.username.map { String(decoding: $0, as: UTF8.self) } == "\(ufrag):\(offer.ufrag)")
            #expect(request.iceControlling != nil && request.useCandidate && request.priority != nil)
            checks += 1
            return Self.success(request.transactionID, key: Array(password.utf8))
        }
    }

    static func success(_ id: STUNTransactionID, key: [UInt8]) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 128)
        let count = room.withUnsafeMutableBytes { memory in
            var writer = STUNWriter(into: memory, class: .success, method: STUNMethod.binding, transactionID: id)!
            writer.add(STUNAttributeType.xorMappedAddress, xored: Endpoint("192.0.2.1:4000")!)
            let covered = Array(writer.beginIntegrity()!)
            Hash.hmac(UnsafeRawBufferPointer(start: covered, count: covered.count), key: key, .sha1).withUnsafeBytes {
                writer.endIntegrity($0.baseAddress!)
            }
            writer.addFingerprint()
            return writer.finish()
        }
        return Array(room.prefix(count))
    }

    private static func context(_ profile: SRTPProfile, _ key: SRTPMasterKey, _ type: srtp_ssrc_type_t) -> srtp_t? {
        var policy = srtp_policy_t()
        #expect(SRTPReception.isReady && profile == .aeadAes128Gcm)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        policy.ssrc.type = type
        var bytes = (0..<16).map { key.key[$0] } + (0..<12).map { key.salt[$0] }
        return bytes.withUnsafeMutableBufferPointer { bytes in
            policy.key = bytes.baseAddress
            var context: srtp_t?
            return srtp_create(&context, &policy) == srtp_err_status_ok ? context : nil
        }
    }

    func seal(_ packet: [UInt8]) -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0, count: 64)
        var count = Int32(packet.count)
        #expect(srtp_protect(sealing, &bytes, &count) == srtp_err_status_ok)
        return Array(bytes.prefix(Int(count)))
    }

    func openRTCP(_ packet: [UInt8]) -> [UInt8]? {
        var bytes = packet
        var count = Int32(packet.count)
        return srtp_unprotect_rtcp(opening, &bytes, &count) == srtp_err_status_ok
            ? Array(bytes.prefix(Int(count))) : nil
    }

    func close() -> [[UInt8]] {
        handshake?.close()
        var out: [[UInt8]] = []
        while let next = handshake?.nextOutgoing() { out.append(next) }
        return out
    }
}

@Suite struct RecordPlayerTests {
    private static let ms: UInt64 = 1_000_000

    private static func offer(_ certificate: Certificate, hasSound: Bool = true) -> PlayerOffer {
        PlayerOffer(
            ufrag: "abcdefgh", password: "abcdefghijklmnopqrstuvwx", fingerprint: certificate.fingerprint,
            identifier: 1,
            hasSound: hasSound)
    }

    /// A session and its server, exchanged with until nothing is left to say.
    private struct Stage {
        let server: FakeServer
        let offer: PlayerOffer
        let session: PlayerSession
        var now: UInt64 = 1_000 * ms

        init() throws {
            let certificate = try Certificate(notBefore: 1_700_000_000)
            server = try FakeServer()
            offer = RecordPlayerTests.offer(certificate)
            session = PlayerSession(
                ufrag: offer.ufrag, try server.answer(to: offer), certificate: certificate, now: now)
        }

        mutating func exchange() throws {
            for _ in 0..<50 {
                session.advance(now: now)
                while let datagram = session.nextOutgoing() {
                    for answer in try server.take(datagram, from: offer, now: now) { _ = give(answer) }
                }
                now += 10 * ms
            }
        }

        /// The plain bytes of what was media.
        func give(_ datagram: [UInt8]) -> [UInt8]? {
            var datagram = datagram
            return datagram.withUnsafeMutableBytes { bytes in
                switch session.receive(bytes, now: now) {
                case .rtp(let packet): Array(UnsafeRawBufferPointer(start: packet.base, count: packet.count))
                case .rtcp(let compound): Array(compound)
                case nil: nil
                }
            }
        }
    }

    @Test func theServerTakesTheOffer() throws {
        let certificate = try Certificate(notBefore: 1_700_000_000)
        let server = try FakeServer()
        for hasSound in [true, false] {
            let offer = Self.offer(certificate, hasSound: hasSound)
            let answer = try server.answer(to: offer)
            #expect(answer.ufrag == server.ufrag && answer.password == server.password)
            #expect(answer.fingerprint == server.certificate.fingerprint)
            #expect(answer.candidates == [Endpoint("192.0.2.7:3478")!, Endpoint("[2001:db8::7]:3478")!])
        }
        #expect(Set(PlayerOffer.formats.map(\.type)).count == Codec.allCases.count)
    }

    @Test(arguments: ["", "v=0", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"])
    func anAnswerThatLacksSomethingIsRefused(_ text: String) {
        #expect(throws: (any Error).self) { try PlayerAnswer(text) }
    }

    @Test func aSessionOpensAndItsMediaComesInPlain() throws {
        var stage = try Stage()
        #expect(stage.session.state == .connecting)
        try stage.exchange()
        #expect(stage.session.state == .open && stage.server.checks > 0)
        let packet: [UInt8] = [0x80, 111, 0, 7, 0, 0, 3, 0xc0, 0, 0, 0, 9, 0xf8, 1, 2, 3]
        let sealed = stage.server.seal(packet)
        #expect(sealed.count > packet.count && stage.give(sealed) == packet)
        // Not twice, and not when a bit of it is another.
        #expect(stage.give(sealed) == nil)
        var forged = stage.server.seal([0x80, 111, 0, 8] + packet[4...])
        forged[13] ^= 1
        #expect(stage.give(forged) == nil)
        let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 5]
        stage.session.send(rtcp: report)
        let sent = try #require(stage.session.nextOutgoing())
        #expect(stage.server.openRTCP(sent) == report)
    }

    @Test func oneSessionAfterTheOtherOpens() throws {
        for _ in 0..<3 {
            var stage = try Stage()
            try stage.exchange()
            #expect(stage.session.state == .open)
        }
    }

    @Test func anAnswerOfSomebodyElseIsNoAnswer() throws {
        let certificate = try Certificate(notBefore: 1_700_000_000)
        let server = try FakeServer()
        var check = ConnectivityCheck(local: "abcdefgh", try server.answer(to: Self.offer(certificate)), now: 0)
        let asked = check.request(now: 0)
        let request = try #require(asked)
        let id = try request.withUnsafeBytes { try #require(STUNMessage($0)).transactionID }
        FakeServer.success(id, key: Array("not the password".utf8)).withUnsafeBytes { check.take($0, now: Self.ms) }
        #expect(!check.isAnswered)
        let other = STUNTransactionID(high: id.high, low: id.low ^ 1)
        FakeServer.success(other, key: Array(server.password.utf8)).withUnsafeBytes { check.take($0, now: Self.ms) }
        #expect(!check.isAnswered)
        FakeServer.success(id, key: Array(server.password.utf8)).withUnsafeBytes { check.take($0, now: 20 * Self.ms) }
        #expect(check.isAnswered && check.roundTrip == 20 * Self.ms)
        // Consent is renewed, and ends without answers.
        let due = [100, 200, 4_000, 4_200].map { check.request(now: $0 * Self.ms) != nil }
        #expect(due == [true, false, false, true])
        #expect(!check.isLost(now: 30_000 * Self.ms) && check.isLost(now: 31_000 * Self.ms))
    }

    @Test func aServerThatEndsTheSessionIsHeard() throws {
        var stage = try Stage()
        try stage.exchange()
        for datagram in stage.server.close() { _ = stage.give(datagram) }
        #expect(stage.session.state == .lost("the server ended it"))
    }

    @Test func aSilentServerIsGivenUp() throws {
        let stage = try Stage()
        stage.session.advance(now: stage.now + 29_000 * Self.ms)
        #expect(stage.session.state == .connecting)
        stage.session.advance(now: stage.now + 31_000 * Self.ms)
        #expect(stage.session.state == .lost("the server does not answer"))
    }
}

@Suite struct MeetingNewsTests {
    private static func news(_ text: String) -> MeetingNews? { MeetingNews(Data(text.utf8)) }

    @Test func theSignalingIsRead() {
        let ada =
            #"{"participant_id":"p_1","display_name":"Ada","role":"host","audio":true,"video":false,"screen":false,"hand_raised":false}"#
        let person = MeetingNews.Person(
            participantID: "p_1", displayName: "Ada", role: "host", audio: true, video: false, screen: false)
        #expect(Self.news(#"{"type":"joined","participants":[\#(ada)]}"#) == .joined([person]))
        #expect(Self.news(#"{"type":"joined","participants":[]}"#) == .joined([]))
        #expect(Self.news(#"{"type":"participant_joined","participant":\#(ada)}"#) == .came(person))
        #expect(Self.news(#"{"type":"participant_left","participant_id":"p_1","reason":"left"}"#) == .left("p_1"))
        #expect(
            Self.news(#"{"type":"media_state","participant_id":"p_1","audio":false,"video":true,"screen":false}"#)
                == .media("p_1", audio: false, video: true, screen: false))
        #expect(
            Self.news(#"{"type":"active_speaker","participants":["p_2","p_1"]}"#) == .speakers(["p_2", "p_1"]))
        #expect(Self.news(#"{"type":"meeting_ended","reason":"ended"}"#) == .meetingEnded)
        #expect(Self.news(#"{"type":"removed","reason":"removed"}"#) == .removed)
        #expect(Self.news(#"{"type":"error","code":"full","message":"x"}"#) == .refused(code: "full", message: "x"))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"type":"participant_left"}"#, #"{"type":"joined","participants":7}"#, #"{"type":"pong"}"#,
    ])
    func whatIsNoNewsIsPassedOver(_ text: String) { #expect(Self.news(text) == nil) }
}

@Suite struct RecordCommandTests {
    private static let rest = ["--meeting", "123-456-789", "--folder", "/f"]

    @Test func oneRightIsNeeded() throws {
        let url = ["--url", "http://127.0.0.1:8080"] + Self.rest
        #expect(throws: (any Error).self) { try RecordCommand.parse(url) }
        #expect(throws: (any Error).self) {
            try RecordCommand.parse(url + ["--host-key-file", "a", "--token-file", "b"])
        }
        #expect(throws: (any Error).self) {
            try RecordCommand.parse(["--url", "http://a", "--meeting", "a/b", "--folder", "/f", "--host-key-file", "a"])
        }
        #expect(try RecordCommand.parse(url + ["--host-key-file", "a"]).name == "Recording")
    }

    @Test(arguments: ["", "meet.example.org", "ftp://a", "https://", "https://a/b"]) func otherAddressesAreRefused(
        _ url: String
    ) {
        #expect(throws: (any Error).self) { try RecordServer(url) }
    }

    @Test func anAddressSaysHostAndPort() throws {
        let plain = try RecordServer("http://[::1]:8080")
        #expect(plain.host == "::1" && plain.port == 8_080 && plain.name == "[::1]:8080" && plain.tls == nil)
        let secure = try RecordServer("https://meet.example.org")
        #expect(secure.port == 443 && secure.tls != nil)
    }
}
