import Testing

@testable import Agents

private func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

struct HashTests {
    /// RFC 4231 section 4.3.
    @Test func hmacSHA256IsThatOfTheRFC() {
        let code = Array("what do ya want for nothing?".utf8).withUnsafeBytes {
            Hash.hmac($0, key: Array("Jefe".utf8), .sha256)
        }
        #expect(code == bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))
    }

    @Test func onlyTheSameBytesAreEqual() {
        #expect(Hash.isEqual([1, 2, 3], [1, 2, 3]) && Hash.isEqual([], []))
        #expect(!Hash.isEqual([1, 2, 3], [1, 2, 4]) && !Hash.isEqual([1, 2, 3], [1, 2]) && !Hash.isEqual([], [0]))
    }
}

struct ScryptTests {
    /// RFC 7914 section 12.
    @Test(arguments: [
        (
            "", "", 16 as UInt64, 1 as UInt64, 1 as UInt64,
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", 1_024, 8, 16,
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
        (
            "pleaseletmein", "SodiumChloride", 16_384, 8, 1,
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
    ])
    func keysAreThoseOfTheRFC(
        password: String, salt: String, cost: UInt64, blockSize: UInt64, parallelism: UInt64, key: String
    ) {
        let scrypt = Scrypt(cost: cost, blockSize: blockSize, parallelism: parallelism)
        #expect(scrypt.key(of: password, salt: Array(salt.utf8), count: 64) == bytes(key))
    }

    /// No power of two; more memory than it may take.
    @Test(arguments: [(1_000 as UInt64, 8 as UInt64), (1 << 20, 8)])
    func impossibleParametersGiveNoKey(cost: UInt64, blockSize: UInt64) {
        #expect(Scrypt(cost: cost, blockSize: blockSize, parallelism: 1).key(of: "a", salt: [1], count: 32) == nil)
    }
}
