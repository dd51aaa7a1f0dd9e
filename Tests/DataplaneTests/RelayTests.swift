import Testing
import Wire

@testable import Dataplane

@Suite struct RelayTests {
    /// Computed with Python's hmac; RFC 5769 has no vector for SHA-256.
    @Test func integrityWithSHA256() {
        var message: [UInt8] = [0, 3, 0, 16, 0x21, 0x12, 0xa4, 0x42, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        message += [0, 0x19, 0, 4, 0x11, 0, 0, 0, 0, 0x0d, 0, 4, 0, 0, 2, 0x58]
        let key = Array(UInt8(1)...32)
        let integrity = key.withUnsafeBytes { MessageIntegritySHA256(key: $0) }
        let tag = integrity.digest(message: message, covered: message.count)
        let expected: [UInt8] = [
            0x15, 0x21, 0x4f, 0x45, 0x71, 0xfc, 0x69, 0xa2, 0x80, 0x86, 0x4c, 0x4c, 0x23, 0xf4, 0x2e, 0x78, 0x04, 0x7d,
            0xa8, 0xd9, 0x29, 0x13, 0xf8, 0xf5, 0x9d, 0x2d, 0xa3, 0x6a, 0xd9, 0xf2, 0x4c, 0xcb,
        ]
        #expect((0..<32).map { tag[$0] } == expected)
        message += [0, 0x1c, 0, 32] + expected
        #expect(integrity.verify(message: message, covered: 36))
        message[30] ^= 1
        #expect(!integrity.verify(message: message, covered: 36))
    }

    /// Each port once, in no order that anybody could guess, and the one given back last comes last.
    /// What one packet reads of each is asked for by two prefetches.
    @Test func channelsTakeTwoCacheLines() {
        #expect(IndexPool<Channel>.stride == 128)
        #expect(IndexPool<RelayAccount>.stride == 64)
    }

    @Test func portsRestAsLongAsPossible() throws {
        var random = RandomSource(seed: 5)
        var ports = RelayPorts(base: 50_000, count: 1_000, random: &random)
        let first = (0..<1_000).compactMap { _ in ports.take() }
        #expect(Set(first) == Set(50_000...50_999) && first != first.sorted() && ports.take() == nil)
        for port in first.reversed() { ports.release(port) }
        ports.release(first[0])
        ports.release(9)
        #expect(ports.freeCount == 1_000 && ports.take() == first.last)
    }

    @Test func evenPortsComeInPairs() throws {
        var random = RandomSource(seed: 5)
        var ports = RelayPorts(base: 50_000, count: 8, random: &random)
        var pairs: [UInt16] = []
        while let port = ports.takeEven(pair: true) { pairs.append(port) }
        #expect(pairs.sorted() == [50_000, 50_002, 50_004, 50_006] && ports.freeCount == 0)
        ports.release(50_003)
        #expect(ports.takeEven(pair: false) == nil && ports.take() == 50_003)
        ports.release(50_004)
        #expect(ports.takeEven(pair: true) == nil && ports.takeEven(pair: false) == 50_004)
    }

    @Test func noncesAreOfOneTimeAndAddress() {
        let key = Array("secret".utf8).withUnsafeBytes { MessageIntegrity(key: $0) }
        let nonces = TURNNonces(key: key, lifetime: 10)
        let address = IPAddress(v4: 0xc000_0201)
        var bytes = [UInt8](repeating: 0, count: TURNNonces.length)
        bytes.withUnsafeMutableBytes { nonces.write(to: $0.baseAddress!, address: address, now: 100_000_000_000) }
        func isValid(_ bytes: [UInt8], _ address: IPAddress, _ seconds: UInt64) -> Bool {
            bytes.withUnsafeBytes { nonces.isValid($0, address: address, now: seconds * 1_000_000_000) }
        }
        #expect(isValid(bytes, address, 100) && isValid(bytes, address, 110))
        #expect(!isValid(bytes, address, 111) && !isValid(bytes, address, 99))
        #expect(!isValid(bytes, IPAddress(v4: 0xc000_0202), 100))
        #expect(!isValid(Array(bytes.dropLast()), address, 100) && !isValid(bytes + [0x30], address, 100))
        for index in bytes.indices {
            var wrong = bytes
            wrong[index] ^= 1
            #expect(!isValid(wrong, address, 100), "byte \(index)")
        }
    }

    @Test func allowedPeersGoBeforeRefusedOnes() {
        let policy = PeerPolicy(
            allowed: [.init(address: IPAddress("192.168.7.0")!, length: 24)],
            refused: [
                .init(address: IPAddress("8.8.0.0")!, length: 16), .init(address: IPAddress("2a00::")!, length: 16),
            ])
        #expect(policy.allows(IPAddress("192.168.7.9")!) && !policy.allows(IPAddress("192.168.8.9")!))
        #expect(!policy.allows(IPAddress("8.8.4.4")!) && policy.allows(IPAddress("8.9.4.4")!))
        #expect(!policy.allows(IPAddress("2a00::5")!) && policy.allows(IPAddress("2a01::5")!))
        #expect(!policy.allows(IPAddress("64:ff9b::808:404")!) && !policy.allows(IPAddress("2002:808:404::1")!))
    }

    /// A limit that is no divisor of a second: 600 MB/s, offered twice that.
    @Test func bytesAreMeteredFinely() {
        var meter = ByteMeter(bytesPerSecond: 600_000_000)
        var passed = 0
        for microsecond in 0..<1_000_000 where meter.admits(1_200, now: UInt64(microsecond) * 1_000) {
            passed += 1_200
        }
        // A tenth of a second may be paid ahead.
        #expect((600_000_000...670_000_000).contains(passed))
    }

    /// What an empty token bucket cannot pay is known before anything is written, and what came in fills it nevertheless.
    @Test func anEmptyBucketIsSeenBeforehand() {
        var sources = SourceLimits(RelayLimits(challengeBurst: 200, challengeRate: 0, sources: 16), seed: (1, 2))
        let address = IPAddress(v4: 0xc000_0201)
        let couldFirst = sources.canAnswer(address, request: 28, response: 180, now: 1)
        let paidFirst = sources.mayAnswer(address, request: 28, response: 180, now: 1)
        #expect(couldFirst && paidFirst)
        var refused = 0
        while !sources.canAnswer(address, request: 28, response: 180, now: 2), refused < 10 { refused += 1 }
        let paidSecond = sources.mayAnswer(address, request: 28, response: 180, now: 2)
        // 20 bytes were left, and 28 come with each.
        #expect(refused == 5 && paidSecond)
    }
}
