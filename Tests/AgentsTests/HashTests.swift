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
