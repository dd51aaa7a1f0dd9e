import TestSupport
import Testing
import Wire

@testable import Dataplane

@Suite struct SRTPVectorTests {
    static let quidProQuo = srtpHex("51756964 2070726f 2071756f")

    static func sessionKeys(_ key: [UInt8], salt: [UInt8]) -> SRTPSessionKeys {
        var keys = SRTPSessionKeys()
        for (index, byte) in key.enumerated() { keys.cipherKey[index] = byte }
        for (index, byte) in salt.enumerated() { keys.salt[index] = byte }
        return keys
    }

    @Test func `RFC 3711 B_3 key derivation`() throws {
        let master = try #require(
            SRTPMasterKey(
                profile: .aes128CmHmacSha1, key: srtpHex("E1F97A0D3E018BE0D64FA32C06DE4139"),
                salt: srtpHex("0EC675AD498AFEEBB6960B3AABE6")))
        let keys = SRTPSessionKeys(profile: .aes128CmHmacSha1, master: master, purpose: .rtp)
        #expect((0..<16).map { keys.cipherKey[$0] } == srtpHex("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect((0..<16).map { keys.salt[$0] } == srtpHex("30CBBC08863D8C85D49DB34A9AE10000"))
        #expect((0..<20).map { keys.authenticationKey[$0] } == srtpHex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
    }

    @Test(arguments: SRTPEngineChoice.available)
    func `RFC 3711 B_2 AES-CM keystream`(_ choice: SRTPEngineChoice) throws {
        let engine = try choice.engine()
        let keys = Self.sessionKeys(
            srtpHex("2B7E151628AED2A6ABF7158809CF4F3C"), salt: srtpHex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"))
        let slab = SRTPSlab(engine, .aes128CmHmacSha1, session: keys)
        let zeros = SRTPPlainPacket(
            header: [0x80, 0] + Array(repeating: 0, count: 10), payload: Array(repeating: 0, count: 48), ssrc: 0)
        let sealed = engine.seal(slab.transform, zeros, index: 0)
        #expect(
            Array(sealed.dropFirst(12).prefix(48))
                == srtpHex(
                    "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0"
                ))
    }

    @Test(
        arguments: SRTPEngineChoice.available,
        [
            (
                SRTPProfile.aeadAes128Gcm,
                """
                8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b
                36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce
                """
            ),
            (
                SRTPProfile.aeadAes256Gcm,
                """
                8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f
                1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13
                """
            ),
        ])
    func `RFC 7714 16 SRTP packets`(_ choice: SRTPEngineChoice, _ vector: (SRTPProfile, String)) throws {
        let engine = try choice.engine()
        let key = (0..<UInt8(vector.0.keyLength)).map { $0 }
        let slab = SRTPSlab(engine, vector.0, session: Self.sessionKeys(key, salt: Self.quidProQuo))
        let plain = SRTPPlainPacket(
            header: srtpHex("8040f17b 8041f8d3 5501a0b2"),
            payload: Array("Gallia est omnis divisa in partes tres".utf8),
            ssrc: 0x5501_A0B2)
        let sealed = srtpHex(vector.1)
        let result = engine.seal(slab.transform, plain, index: 0xF17B)
        #expect(result == sealed)
        let opened = engine.open(slab.transform, sealed, ssrc: plain.ssrc, index: 0xF17B)
        #expect(opened == plain.bytes)
        let inNextRound = engine.open(slab.transform, sealed, ssrc: plain.ssrc, index: 0x1_F17B)
        #expect(inNextRound == nil)
    }

    @Test(
        arguments: SRTPEngineChoice.available,
        [
            (
                SRTPProfile.aeadAes128Gcm,
                """
                81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
                86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4
                """
            ),
            (
                SRTPProfile.aeadAes256Gcm,
                """
                81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658
                c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4
                """
            ),
        ])
    func `RFC 7714 17 SRTCP packets`(_ choice: SRTPEngineChoice, _ vector: (SRTPProfile, String)) throws {
        let engine = try choice.engine()
        let key = (0..<UInt8(vector.0.keyLength)).map { $0 }
        let slab = SRTPSlab(engine, vector.0, session: Self.sessionKeys(key, salt: Self.quidProQuo))
        let plain = srtpHex(
            """
            81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef
            deadbeef deadbeef
            """)
        let buffer = SRTPBuffer(plain, room: slab.transform.rtcpTrailerLength)
        let length = engine.sealRTCP(slab.transform, buffer.start, plain.count, index: 0x5D4)
        #expect(buffer.prefix(length) == srtpHex(vector.1))
        #expect(buffer.guardIsIntact)
        let result = engine.openRTCP(slab.transform, buffer.start, length)
        let opened = try #require(result)
        #expect(opened.index == 0x5D4)
        #expect(buffer.prefix(opened.plainLength) == plain)
    }

    @Test func `RFC 7714 17_3 a packet that is authenticated but not encrypted is refused`() throws {
        let engine = SRTPEngine()
        let keys = Self.sessionKeys((0..<16).map { $0 }, salt: Self.quidProQuo)
        let slab = SRTPSlab(engine, .aeadAes128Gcm, session: keys)
        let packet = SRTPBuffer(
            srtpHex(
                """
                81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef
                deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4
                """))
        let opened = engine.openRTCP(slab.transform, packet.start, packet.capacity)
        #expect(opened == nil)
    }

    @Test func `the engine says what it runs on`() {
        let engine = SRTPEngine()
        let library = engine.kind == .ipsecMB ? "ipsec-mb " : "OpenSSL 3"
        #expect(SRTPEngine.description.hasPrefix(library))
        let isOwn = engine.multiBuffer?.ownGcm != nil
        #expect(SRTPEngine.description.contains("AES-GCM of our own") == isOwn)
    }

    @Test func `erase leaves no key behind`() {
        let engine = SRTPEngine()
        var random = SplitMix(seed: 5)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: SRTPTransform.byteCount, alignment: 64)
        defer { memory.deallocate() }
        for profile in SRTPProfile.allCases {
            let keying = random.keying(profile)
            let transform = SRTPTransform.install(at: memory, engine: engine, profile: profile, master: keying.master)
            let bytes = UnsafeRawBufferPointer(start: memory, count: SRTPTransform.byteCount)
            #expect(bytes.contains { $0 != 0 })
            transform.erase()
            #expect(bytes.allSatisfy { $0 == 0 })
        }
    }
}
