import COpenSSL
import TestSupport
import Testing
import Wire

@testable import Agents

@Suite("DTLS-SRTP handshake")
struct DTLSHandshakeTests {
    @Test(
        "both roles derive the same keys, crosswise, with each profile",
        arguments: SRTPProfile.allCases, [DTLSRole.server, .client])
    func keysMatch(profile: SRTPProfile, role: DTLSRole) throws {
        var pair = try Pair(ours: [profile], theirs: [profile], ourRole: role)
        pair.run()
        let us = try #require(Keys(pair.us.state))
        let them = try #require(Keys(pair.them.state))
        #expect(us.profile == profile && them.profile == profile)
        #expect(us.send == them.receive && us.receive == them.send)
        #expect(us.send != us.receive)
        #expect(us.send.contains { $0 != 0 })
    }

    @Test("our preference wins over a client's list that begins with CM_SHA1")
    func serverPreferenceWins() throws {
        var pair = try Pair(
            ours: [.aeadAes128Gcm, .aeadAes256Gcm, .aes128CmHmacSha1],
            theirs: [.aes128CmHmacSha1, .aeadAes256Gcm, .aeadAes128Gcm])
        pair.run()
        #expect(Keys(pair.us.state)?.profile == .aeadAes128Gcm)
    }

    @Test("without a common profile the handshake fails")
    func noCommonProfile() throws {
        var pair = try Pair(ours: [.aeadAes128Gcm], theirs: [.aes128CmHmacSha1])
        pair.run()
        #expect(pair.us.state.failure == "no SRTP protection profile in common")
    }

    @Test("a certificate that is not the promised one fails the handshake", arguments: [DTLSRole.server, .client])
    func wrongFingerprint(role: DTLSRole) throws {
        var pair = try Pair(ourRole: role, promised: try Certificate(notBefore: 0).fingerprint)
        pair.run()
        #expect(pair.us.state.failure == "the peer's certificate is not the one of its fingerprint")
        #expect(pair.them.state.failure != nil, "the peer was told by an alert")
        #expect(pair.us.timeout == nil)
    }

    @Test("no datagram is larger than the MTU", arguments: [300, 1200])
    func datagramsFit(mtu: Int) throws {
        var pair = try Pair(mtu: mtu)
        pair.run()
        #expect(Keys(pair.us.state) != nil && Keys(pair.them.state) != nil)
        #expect(pair.largest <= mtu && pair.largest > 100)
    }

    @Test("a ClientHello in fragments, one a datagram, is put together")
    func fragmentedClientHello() throws {
        var pair = try Pair()
        let hello = try #require(pair.them.nextOutgoing())
        let fragments = fragment(hello, into: 3)
        #expect(fragments.count == 3)
        for piece in fragments {
            #expect(pair.us.nextOutgoing() == nil)
            pair.us.receive(piece, now: pair.now)
        }
        pair.run()
        #expect(Keys(pair.us.state) != nil && Keys(pair.them.state) != nil)
    }

    @Test("a ClientHello in fragments is put together in whatever order they come, and however often", arguments: 0..<4)
    func shuffledClientHello(kind: Int) throws {
        var pair = try Pair()
        let hello = try #require(pair.them.nextOutgoing())
        let fragments = fragment(hello, into: 3)
        let again = fragment(hello, into: 4, firstRecord: 10)
        let pieces =
            switch kind {
            case 0: Array(fragments.reversed())
            case 1: [fragments[0], fragments[0], fragments[1], fragments[0], fragments[1], fragments[2]]
            case 2: [fragments[2], again[0], fragments[1], again[3], again[1], fragments[0], again[2]]
            // The first copy lost a piece; the second comes before it would.
            default: [fragments[0], fragments[2]] + again
            }
        for piece in pieces { pair.us.receive(piece, now: pair.now) }
        #expect(pair.us.timeout != nil, "it was answered at once")
        pair.run()
        let us = try #require(Keys(pair.us.state))
        let them = try #require(Keys(pair.them.state))
        #expect(us.send == them.receive && us.receive == them.send)
    }

    /// As browsers write it: supported_versions and a key share of ML-KEM before all that DTLS 1.2 knows, in two datagrams.
    @Test("a ClientHello that prefers DTLS 1.3 is answered with 1.2", arguments: [false, true])
    func helloOfLaterVersion(isReversed: Bool) throws {
        let pair = try Pair()
        let hello = try #require(pair.them.nextOutgoing())
        let share = [UInt8](repeating: 0x5a, count: 1_216)
        let added: [UInt8] =
            [0, 43, 0, 5, 4, 0xfe, 0xfc, 0xfe, 0xfd]
            + [0, 51, 0x04, 0xc6, 0x04, 0xc4, 0x11, 0xec, 0x04, 0xc0] + share
        let pieces = fragment(insertExtensions(added, into: hello), into: 2)
        #expect(pieces.allSatisfy { $0.count > 600 && $0.count < 1_200 })
        for piece in isReversed ? pieces.reversed() : pieces { pair.us.receive(piece, now: 0) }
        let answer = try #require(pair.us.nextOutgoing())
        // A handshake record; ServerHello, of DTLS 1.2.
        #expect(answer[0] == 22 && answer[13] == 2 && Array(answer[25..<27]) == [0xfe, 0xfd])
        #expect(pair.us.state.failure == nil)
    }

    @Test(
        "a lost last flight is sent again, whoever sends it and however often it is lost",
        arguments: [DTLSRole.server, .client], [1, 2, 4])
    func lastFlightLost(role: DTLSRole, times: Int) throws {
        var whole = try Pair(ourRole: role)
        whole.run()
        // The peer's flight before the last one is lost too: both directions.
        for behind in 1...2 {
            var pair = try Pair(ourRole: role)
            pair.drop = Set((0..<times).map { whole.sent - behind + $0 * behind })
            pair.run()
            let us = try #require(Keys(pair.us.state))
            let them = try #require(Keys(pair.them.state))
            #expect(us.send == them.receive && us.receive == them.send)
            #expect(pair.now >= 400_000_000 && pair.sent > whole.sent)
        }
    }

    @Test("nothing is repeated over a slow network without loss", arguments: [UInt64(200), 390])
    func slowNetwork(roundTrip: UInt64) throws {
        var near = try Pair()
        near.run()
        var far = try Pair()
        far.run(oneWay: roundTrip * 500_000)
        #expect(Keys(far.us.state) != nil && Keys(far.them.state) != nil)
        #expect(far.sent == near.sent)
    }

    @Test("the loss of any single datagram is repaired by timers", arguments: 0..<5)
    func lossRecovers(lost: Int) throws {
        var pair = try Pair(mtu: 600)
        pair.drop = [lost]
        pair.run()
        #expect(pair.sent > 5 && pair.now >= 400_000_000, "it was lost, and missed")
        let us = try #require(Keys(pair.us.state))
        let them = try #require(Keys(pair.them.state))
        #expect(us.send == them.receive && us.receive == them.send)
    }

    @Test("the loss of a whole flight is repaired by timers", arguments: [0...0, 1...2, 3...3, 4...4])
    func flightLossRecovers(lost: ClosedRange<Int>) throws {
        var pair = try Pair(mtu: 600)
        pair.drop = Set(lost)
        pair.run()
        #expect(Keys(pair.us.state) != nil && Keys(pair.them.state) != nil)
        #expect(pair.now >= 400_000_000, "nothing was sent again before the first interval was over")
    }

    @Test("intervals double, and a silent peer ends the handshake")
    func silentPeer() throws {
        var pair = try Pair(ourRole: .client)
        var waits: [UInt64] = []
        while let deadline = pair.us.timeout {
            pair.us.handleTimeout(now: deadline - 1)
            waits.append(deadline - pair.now)
            pair.now = deadline
            pair.us.handleTimeout(now: deadline)
            try #require(waits.count < 20)
        }
        #expect(Array(waits.prefix(4)) == [400_000_000, 800_000_000, 1_600_000_000, 3_200_000_000])
        #expect(waits.max() == 5_000_000_000)
        #expect(pair.us.state.failure == "the peer did not answer")
        var copies = 0
        while pair.us.nextOutgoing() != nil { copies += 1 }
        #expect(copies == waits.count, "one ClientHello at once, and one after each wait but the last")
    }

    @Test("close_notify ends the association on both sides")
    func closeNotify() throws {
        var pair = try Pair()
        pair.run()
        pair.us.close()
        #expect(pair.us.state.isClosed)
        pair.run()
        #expect(pair.them.state.isClosed)
    }

    @Test("garbage between the records delays nothing and ends nothing")
    func garbage() throws {
        var pair = try Pair()
        var random = SplitMix(seed: 7)
        pair.noise = { (0..<Int(random.next() % 90)).map { _ in UInt8.random(in: 0...255, using: &random) } }
        pair.run()
        let keys = try #require(Keys(pair.us.state))
        for _ in 0..<2000 {
            var bytes = (0..<Int(random.next() % 200 + 1)).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes[0] = UInt8(20 + random.next() % 4)
            pair.us.receive(bytes, now: pair.now)
        }
        #expect(Keys(pair.us.state)?.send == keys.send)
        #expect(pair.us.nextOutgoing() == nil)
        pair.them.close()
        pair.run()
        #expect(pair.us.state.isClosed, "records of the peer are still understood")
    }

    @Test("a forged alert, ClientHello or replay does not end an established association")
    func forgedRecords() throws {
        var pair = try Pair()
        pair.run()
        let closeNotify: [UInt8] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0]
        let fatal: [UInt8] = [21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40]
        pair.us.receive(closeNotify, now: pair.now)
        pair.us.receive(fatal, now: pair.now)
        for datagram in pair.record { pair.us.receive(datagram, now: pair.now) }
        let stranger = try DTLSHandshake(
            certificate: pair.ourCertificate, role: .client, peer: pair.ourCertificate.fingerprint, now: 0)
        pair.us.receive(try #require(stranger.nextOutgoing()), now: pair.now)
        #expect(Keys(pair.us.state) != nil)
        pair.them.close()
        pair.run()
        #expect(pair.us.state.isClosed)
    }

    @Test(
        "a record too short for the cipher is dropped in silence",
        arguments: [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
        ])
    func shortRecords(suite: String) throws {
        let theirs = try Certificate(notBefore: 1_700_000_000)
        try #require(SSL_CTX_set_cipher_list(theirs.context, suite) == 1)
        for isEarly in [true, false] {
            var pair = try Pair(certificate: theirs)
            let forged = (0..<65).flatMap { count in
                (20...23).map { type -> [UInt8] in
                    [type, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, UInt8(count)] + [UInt8](repeating: 2, count: count)
                }
            }
            if isEarly { pair.noise = { forged.joined().map(\.self) } }
            pair.run()
            for record in forged {
                pair.us.receive(record, now: pair.now)
                #expect(pair.us.nextOutgoing() == nil, "answered \(record.prefix(13))")
            }
            #expect(Keys(pair.us.state) != nil)
            pair.them.close()
            pair.run()
            #expect(pair.us.state.isClosed, "records of the peer are still understood")
        }
    }

    @Test("every truncation and every flipped byte of a flight is survived")
    func mutations() throws {
        let theirs = try Certificate(notBefore: 0)
        let ours = try Certificate(notBefore: 0)
        let client = try DTLSHandshake(certificate: theirs, role: .client, peer: ours.fingerprint, now: 0)
        let hello = try #require(client.nextOutgoing())
        for index in hello.indices {
            let server = try DTLSHandshake(certificate: ours, role: .server, peer: theirs.fingerprint, now: 0)
            server.receive(Array(hello[..<index]), now: 0)
            var flipped = hello
            flipped[index] ^= 0x41
            server.receive(flipped, now: 0)
            #expect(Keys(server.state) == nil)
        }
    }
}

@Suite("Certificates")
struct CertificateTests {
    @Test("each certificate has its own SHA-256 fingerprint, whose text reads back")
    func fingerprints() throws {
        let first = try Certificate(notBefore: 1_700_000_000).fingerprint
        let second = try Certificate(notBefore: 1_700_000_000).fingerprint
        #expect(first != second)
        #expect(first.algorithm == .sha256 && first.text.utf8.count == 8 + 32 * 3 - 1)
        #expect(Fingerprint(first.text) == first)
        #expect(Fingerprint(first.text.lowercased()) == first)
    }

    @Test(
        "malformed fingerprints and weak hashes are refused",
        arguments: [
            "", "sha-256", "sha-256 AA:BB", "sha-1 " + [String](repeating: "AA", count: 20).joined(separator: ":"),
            "md5 " + [String](repeating: "AA", count: 16).joined(separator: ":"),
            "sha-256 " + [String](repeating: "AG", count: 32).joined(separator: ":"),
            "sha-256 " + [String](repeating: "A", count: 32).joined(separator: ":"),
            "sha-256 " + [String](repeating: "AA", count: 33).joined(separator: ":"),
        ])
    func refused(text: String) {
        #expect(Fingerprint(text) == nil)
    }

    @Test("SHA-384 and SHA-512 fingerprints are verified too", arguments: [Fingerprint.Algorithm.sha384, .sha512])
    func strongerHashes(algorithm: Fingerprint.Algorithm) throws {
        let zeros = try #require(
            Fingerprint(algorithm: algorithm, bytes: [UInt8](repeating: 0, count: algorithm.length)))
        var pair = try Pair(promised: zeros)
        pair.run()
        #expect(pair.us.state.failure == "the peer's certificate is not the one of its fingerprint")
        let right = try #require(pair.theirCertificate.fingerprint(algorithm))
        pair = try Pair(certificate: pair.theirCertificate, promised: right)
        pair.run()
        #expect(Keys(pair.us.state) != nil)
    }
}
