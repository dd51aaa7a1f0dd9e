import Testing
import Wire

@testable import Agents

/// A request with long-term credentials, made as a client makes it.
private struct TURNRequestDraft {
    var username: [UInt8]? = Array("2000:ada".utf8)
    var realm: String? = "example.org"
    var nonce: String? = "a nonce"
    var algorithms: [UInt8]?
    var algorithm: [UInt8]?
    var key: TURNKey?
    var usesSHA1 = true
    var usesSHA256 = false

    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        [UInt8(type >> 8), UInt8(type & 0xff), UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
            + Array(repeating: 0, count: -value.count & 3)
    }

    var bytes: [UInt8] {
        var body: [UInt8] = []
        if let username { body += Self.attribute(STUNAttributeType.username, username) }
        if let realm { body += Self.attribute(STUNAttributeType.realm, Array(realm.utf8)) }
        if let nonce { body += Self.attribute(STUNAttributeType.nonce, Array(nonce.utf8)) }
        if let algorithms { body += Self.attribute(0x8002, algorithms) }
        if let algorithm { body += Self.attribute(STUNAttributeType.passwordAlgorithm, algorithm) }
        var message = Self.header(count: body.count) + body
        if let key, usesSHA1 { sign(&message, STUNAttributeType.messageIntegrity, 20, key) }
        if let key, usesSHA256 { sign(&message, STUNAttributeType.messageIntegritySHA256, 32, key) }
        return message
    }

    private static func header(count: Int) -> [UInt8] {
        [0, 3, UInt8(count >> 8), UInt8(count & 0xff), 0x21, 0x12, 0xa4, 0x42] + (1...12)
    }

    private func sign(_ message: inout [UInt8], _ type: UInt16, _ length: Int, _ key: TURNKey) {
        let end = message.count + 4 + length - 20
        message[2] = UInt8(end >> 8)
        message[3] = UInt8(end & 0xff)
        let tag = message.withUnsafeBytes { Hash.hmac($0, key: key.bytes, length == 32 ? .sha256 : .sha1) }
        message += Self.attribute(type, tag)
    }
}

/// Long-term credentials as RFC 8489 section 9.2 has them.
struct TURNTests {
    private static let secrets = TURNSecrets(["the new secret", "the old secret"])
    private static let authenticator = TURNAuthenticator(
        realm: "example.org", secrets: secrets, users: ["lab": "a listed password"])

    private func check(_ bytes: [UInt8], now: Int64 = 1_000) -> Result<TURNIdentity, TURNRefusal> {
        bytes.withUnsafeBytes { Self.authenticator.check($0, now: now) }
    }

    /// A request by a user of the list.
    private func listed(_ algorithm: TURNPasswordAlgorithm = .md5) -> TURNRequestDraft {
        var draft = TURNRequestDraft()
        draft.username = Array("lab".utf8)
        draft.key = TURNKey(
            username: "lab".utf8, realm: "example.org", password: "a listed password", algorithm: algorithm)
        return draft
    }

    /// A request with a time-limited credential.
    private func limited(_ secrets: TURNSecrets = secrets, user: String = "ada", expiry: Int64 = 2_000) throws
        -> TURNRequestDraft
    {
        let (username, password) = try #require(secrets.issue(user: user, lifetime: 1_000, now: expiry - 1_000))
        var draft = TURNRequestDraft()
        draft.username = Array(username.utf8)
        draft.key = TURNKey(username: username.utf8, realm: "example.org", password: password)
        return draft
    }

    // MARK: published vectors

    /// The user name, and the password after its preparation, of RFC 5769 section 2.4 and RFC 8489 appendix B.1.
    private static let matrix = Array("\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}".utf8)

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter(\.isHexDigit).map { UInt8(String($0), radix: 16) ?? 0 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static let longTerm = bytes(
        """
        000100602112a44278ad3433c6ad72c029da412e 00060012e3839ee38388e383aae38383e382afe382b90000
        0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b6578616d706c652e6f726700
        00080014f67024656dd64a3e02b8e0712e85c9a28ca89666
        """)

    @Test func theLongTermVectorOfRFC5769Verifies() throws {
        #expect(Self.longTerm.count == 116)
        let key = TURNKey(username: Self.matrix, realm: "example.org", password: "TheMatrIX")
        try Self.longTerm.withUnsafeBytes { bytes in
            let message = try #require(STUNMessage(bytes))
            let integrity = try #require(TURNCredentialAttributes(message).integrity)
            #expect(TURNIntegrity.isValid(integrity, of: message, key: key))
        }
        var broken = Self.longTerm
        broken[30] ^= 1
        try broken.withUnsafeBytes { bytes in
            let message = try #require(STUNMessage(bytes))
            let integrity = try #require(TURNCredentialAttributes(message).integrity)
            #expect(!TURNIntegrity.isValid(integrity, of: message, key: key))
        }
    }

    @Test func theLongTermVectorOfRFC5769IsAnAuthenticUser() throws {
        let name = String(decoding: Self.matrix, as: UTF8.self)
        let authenticator = TURNAuthenticator(
            realm: "example.org", secrets: TURNSecrets([]), users: [name: "TheMatrIX"])
        let identity = try Self.longTerm.withUnsafeBytes { try authenticator.check($0, now: 0).get() }
        #expect(identity.user == Self.matrix)
        #expect(!identity.usesSHA256)
    }

    /// RFC 8489 appendix B.1 as its verified erratum 6268 has it: SHA-256 for the key and for the integrity.
    @Test func theSHA256VectorOfRFC8489Verifies() throws {
        let bytes = Self.bytes(
            """
            000100902112a44278ad3433c6ad72c029da412e
            001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
            001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39465354767936347341000000
            0014000b6578616d706c652e6f726700 001d000400020000
            001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65
            """)
        #expect(bytes.count == 164)
        let key = TURNKey(username: Self.matrix, realm: "example.org", password: "TheMatrIX", algorithm: .sha256)
        try bytes.withUnsafeBytes { bytes in
            let message = try #require(STUNMessage(bytes))
            let integrity = try #require(TURNCredentialAttributes(message).integritySHA256)
            #expect(TURNIntegrity.isValid(integrity, of: message, key: key))
        }
    }

    @Test func aCredentialIsTheHMACThatOthersCompute() throws {
        // Computed by: printf 2000:ada | openssl dgst -sha1 -hmac 'the new secret' -binary | base64
        let (username, credential) = try #require(Self.secrets.issue(user: "ada", lifetime: 1_000, now: 1_000))
        #expect(username == "2000:ada")
        #expect(credential == "0/Ikx71QdFmmteJU0nw7pU3ZlzA=")
    }

    // MARK: whom we know

    @Test func aTimeLimitedCredentialIsAcceptedUntilItExpires() throws {
        let bytes = try limited().bytes
        #expect(try check(bytes, now: 1_999).get().user == Array("ada".utf8))
        #expect(check(bytes, now: 2_000) == .failure(.unauthorized))
    }

    @Test func everySecretVerifiesAndTheFirstSigns() throws {
        #expect(try check(limited(TURNSecrets(["the old secret"])).bytes).get().user == Array("ada".utf8))
        #expect(check(try limited(TURNSecrets(["a secret of somebody else"])).bytes) == .failure(.unauthorized))
    }

    @Test func renewedCredentialsAreOneUser() throws {
        let first = try check(limited(expiry: 2_000).bytes).get()
        let second = try check(limited(expiry: 3_000).bytes).get()
        #expect(first.user == second.user)
        #expect(first.key != second.key)
    }

    @Test(arguments: [TURNPasswordAlgorithm.md5, .sha256])
    func aListedUserIsAcceptedWithEitherKey(algorithm: TURNPasswordAlgorithm) throws {
        var draft = listed(algorithm)
        draft.algorithms = [0, 2, 0, 0, 0, 1, 0, 0]
        draft.algorithm = [0, UInt8(algorithm.rawValue), 0, 0]
        #expect(try check(draft.bytes).get().key == draft.key)
    }

    @Test func integrityBySHA256IsAcceptedAloneAndBesideSHA1() throws {
        var draft = listed()
        draft.usesSHA256 = true
        #expect(try check(draft.bytes).get().usesSHA256)
        draft.usesSHA1 = false
        #expect(try check(draft.bytes).get().usesSHA256)
    }

    @Test func aShortenedSHA256IsRefused() {
        var draft = listed()
        draft.usesSHA1 = false
        draft.usesSHA256 = true
        var bytes = draft.bytes
        bytes.removeLast(16)
        bytes[3] -= 16
        bytes[bytes.count - 17] = 16
        #expect(check(bytes) == .failure(.unauthorized))
    }

    @Test func everyBitOfARequestCounts() throws {
        let bytes = try limited().bytes
        for index in bytes.indices {
            for bit in 0..<8 {
                var broken = bytes
                broken[index] ^= 1 << UInt8(bit)
                if case .success = check(broken) { Issue.record("bit \(bit) of byte \(index)") }
            }
        }
    }

    // MARK: what is refused

    @Test func withoutIntegrityNobodyIsAuthentic() {
        var draft = listed()
        draft.key = nil
        #expect(check(draft.bytes) == .failure(.unauthorized))
    }

    @Test(arguments: 0..<3)
    func withIntegrityAllThreeNamesAreNeeded(missing: Int) {
        var draft = listed()
        if missing == 0 { draft.username = nil }
        if missing == 1 { draft.realm = nil }
        if missing == 2 { draft.nonce = nil }
        #expect(check(draft.bytes) == .failure(.malformed))
    }

    @Test(
        arguments: [
            (nil, [0, 2, 0, 0]), ([0, 2, 0, 0, 0, 1, 0, 0], nil),
            // Bid down: an offer that we did not make.
            ([0, 1, 0, 0], [0, 1, 0, 0]),
            ([0, 2, 0, 0, 0, 1, 0, 0], [0, 3, 0, 0]), ([0, 2, 0, 0, 0, 1, 0, 0], [0, 1]),
            ([0, 2, 0, 0, 0, 1, 0, 0], []),
        ] as [([UInt8]?, [UInt8]?)])
    func algorithmsThatWereNotOfferedAreMalformed(algorithms: [UInt8]?, algorithm: [UInt8]?) {
        var draft = listed()
        draft.algorithms = algorithms
        draft.algorithm = algorithm
        #expect(check(draft.bytes) == .failure(.malformed))
    }

    @Test(arguments: ["", ":", "ada", "2000", "x:ada", "-1:ada", "9999999999999999999:ada", "2000:", "lab "])
    func namesOfNobodyAreRefused(name: String) {
        var draft = TURNRequestDraft()
        draft.username = Array(name.utf8)
        draft.key = TURNKey(username: name.utf8, realm: "example.org", password: "a listed password")
        #expect(check(draft.bytes) == .failure(.unauthorized))
    }

    @Test func anotherRealmIsRefused() throws {
        var draft = try limited()
        draft.realm = "example.com"
        #expect(check(draft.bytes) == .failure(.unauthorized))
    }

    @Test func whatFollowsTheIntegrityDoesNotCount() throws {
        // The names stand behind MESSAGE-INTEGRITY here: they are not there (RFC 8489 section 14.5).
        var draft = listed()
        draft.username = nil
        let name: [UInt8] = [0, 6, 0, 3] + Array("lab".utf8) + [0]
        var bytes = draft.bytes + name
        bytes[3] += UInt8(name.count)
        #expect(check(bytes) == .failure(.malformed))
    }

    @Test func noiseIsMalformed() {
        #expect(check([]) == .failure(.malformed))
        #expect(check(Array(repeating: 0xff, count: 100)) == .failure(.malformed))
    }
}
