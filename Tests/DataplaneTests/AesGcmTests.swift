import CAesGcm
import TestSupport
import Testing

@testable import Dataplane

/// Our own AES-GCM, on each path that this CPU has, against NIST's vectors and OpenSSL.
@Suite struct AesGcmTests {
    static let paths = [needletail_gcm_aesni, needletail_gcm_vaes].compactMap { AesGcm($0) }

    /// Key, nonce, additional data, plaintext, ciphertext, tag.
    static let vectors = [
        // NIST's CAVP, gcmEncryptExtIV128.
        [
            "11754cd72aec309bf52f7687212e8957", "3c819d9a9bed087615030b65", "", "", "",
            "250327c674aaf477aef2675748cf6971",
        ],
        [
            "77be63708971c4e240d1cb79e8d77feb", "e0e00f19fed7ba0136a797f3", "7a43ec1d9c0a5a78a0b16533a6213cab", "", "",
            "209fcc8d3675ed938e9c7166709dd946",
        ],
        [
            "7fddb57453c241d03efbed3ac44e371c", "ee283a3fc75575e33efd4887", "", "d5de42b461646c255c87bd2962d3b9a2",
            "2ccda4a5415cb91e135c2a0f78c9b2fd", "b36d1df9b9d5e596f83e8b7f52971cb3",
        ],
        [
            "fe9bb47deb3a61e423c2231841cfd1fb", "4d328eb776f500a2f7fb47aa", "", "f1cc3818e421876bb6b8bbd6c9",
            "b88c5c1977b35b517b0aeae967", "43fd4727fe5cdb4b5b42818dea7ef8c9",
        ],
        [
            "fe47fcce5fc32665d2ae399e4eec72ba", "5adb9609dbaeb58cbd6e7275", "88319d6e1d3ffa5f987199166c8a9b56c2aeba5a",
            """
            7c0e88c88899a779228465074797cd4c2e1498d259b54390b85e3eef1c02df60e743f1b840382c4bccaf3bafb4ca8429bea063
            """,
            """
            98f4826f05a265e6dd2be82db241c0fbbbf9ffb1c173aa83964b7cf5393043736365253ddbc5db8778371495da76d269e5db3e
            """,
            "291ef1982e4defedaa2249f898556b47",
        ],
        [
            "2c1f21cf0f6fb3661943155c3e3d8492", "23cb5ff362e22426984d1907",
            """
            5d3624879d35e46849953e45a32a624d6a6c536ed9857c613b572b0333e701557a713e3f010ecdf9a6bd6c9e3e44b065208645af
            f4aabee611b391528514170084ccf587177f4488f33cfb5e979e42b6e1cfc0a60238982a7aec
            """,
            """
            42f758836986954db44bf37c6ef5e4ac0adaf38f27252a1b82d02ea949c8a1a2dbc0d68b5615ba7c1220ff6510e259f06655d8
            """,
            """
            81824f0e0d523db30d3da369fdc0d60894c7a0a20646dd015073ad2732bd989b14a222b6ad57af43e1895df9dca2a5344a62cc
            """,
            "57a3ee28136e94c74838997ae9823f3a",
        ],
        // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, cases 3, 4, 15 and 16.
        [
            "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "", plain + "1aafd255",
            cipher128 + "473f5985", "4d5c2af327cd64a62cf35abd2ba6fab4",
        ],
        [
            "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plain, cipher128, "5bc94fbc3221a5db94fae95ae7121a47",
        ],
        [
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
            plain + "1aafd255", cipher256 + "898015ad", "b094dac5d93471bdec1a502270e3cc6c",
        ],
        [
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2", plain, cipher256, "76fc6ece0f4e1768cddf8853bb2d551b",
        ],
    ]

    private static let plain = """
        d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5
        aa0de657ba637b39
        """
    private static let cipher128 = """
        42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b39
        6a0aac973d58e091
        """
    private static let cipher256 = """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e63
        93ba7a0abcc9f662
        """

    @Test(arguments: paths, vectors)
    func `NIST's vectors come out, in place or not, and open`(_ path: AesGcm, _ vector: [String]) {
        let bytes = vector.map(srtpHex)
        let packet = AesGcmCase(key: bytes[0], nonce: bytes[1], additional: bytes[2], plain: bytes[3])
        #expect(packet.sealed(path) == bytes[4] + bytes[5])
        #expect(packet.sealed(path, isInPlace: true) == bytes[4] + bytes[5])
        let opened = packet.opened(path, bytes[4] + bytes[5])
        #expect(opened.isAuthentic && opened.plain == bytes[3])
    }

    /// Sealed as OpenSSL does, opened again, and refused after any change.
    private func check(_ path: AesGcm, _ packet: AesGcmCase, _ random: inout SplitMix) throws {
        let sealed = try #require(packet.sealedByOpenssl())
        let note: Comment = "\(packet.key.count), \(packet.additional.count), \(packet.plain.count) bytes"
        #expect(packet.sealed(path) == sealed, note)
        #expect(packet.sealed(path, isInPlace: true) == sealed, note)
        if packet.plain.count >= 8 {
            let patch = random.next()
            var unpatched = packet
            unpatched.plain.withUnsafeMutableBytes { $0.baseAddress?.xorFirst(patch) }
            #expect(unpatched.sealed(path, patch: patch) == sealed, note)
        }
        let opened = packet.opened(path, sealed)
        #expect(opened.isAuthentic && opened.plain == packet.plain, note)
        var forged = sealed
        forged[Int.random(in: 0..<forged.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
        #expect(!packet.opened(path, forged).isAuthentic, note)
        var other = packet
        if !other.additional.isEmpty {
            other.additional[Int.random(in: 0..<other.additional.count, using: &random)] ^= 0x10
            #expect(!other.opened(path, sealed).isAuthentic, note)
        }
        other = packet
        other.nonce[Int.random(in: 0..<12, using: &random)] ^= 1
        #expect(!other.opened(path, sealed).isAuthentic, note)
    }

    @Test(arguments: paths)
    func `the same as OpenSSL for every length up to 600`(_ path: AesGcm) throws {
        var random = SplitMix(seed: 0x6C3)
        for length in 0...600 {
            let additionalLength = Int.random(in: 12...80, using: &random)
            try check(path, AesGcmCase(&random, length: length, additionalLength: additionalLength), &random)
        }
    }

    @Test(arguments: paths)
    func `the same as OpenSSL for every length of additional data up to 600`(_ path: AesGcm) throws {
        var random = SplitMix(seed: 0x6C4)
        for additionalLength in 0...600 {
            let length = Int.random(in: 0...300, using: &random)
            try check(path, AesGcmCase(&random, length: length, additionalLength: additionalLength), &random)
        }
    }

    @Test(arguments: paths)
    func `the same as OpenSSL up to 16 KiB`(_ path: AesGcm) throws {
        var random = SplitMix(seed: 0x6C5)
        for turn in 0..<300 {
            // Around the places where counters carry, and anywhere.
            let near = [2_016, 2_032, 2_048, 2_288, 4_032, 4_064, 4_096, 16_384][turn % 8]
            let length =
                turn < 160
                ? near + Int.random(in: -20...0, using: &random) : Int.random(in: 600...16_384, using: &random)
            try check(path, AesGcmCase(&random, length: length, additionalLength: 20), &random)
        }
    }

    @Test(arguments: paths)
    func `a change of any bit of the tag is noticed`(_ path: AesGcm) throws {
        var random = SplitMix(seed: 0x6C6)
        let packet = AesGcmCase(&random, length: 100, additionalLength: 12)
        let sealed = packet.sealed(path)
        for bit in 0..<128 {
            var forged = sealed
            forged[100 + bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!packet.opened(path, forged).isAuthentic)
        }
    }

    @Test func `a key takes at most 512 bytes`() {
        #expect(AesGcm.keyByteCount(.aeadAes128Gcm) == 448)
        #expect(AesGcm.keyByteCount(.aeadAes256Gcm) == 512)
    }
}
