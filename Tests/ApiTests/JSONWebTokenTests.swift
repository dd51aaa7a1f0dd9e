import Agents
import Foundation
import Testing

@testable import Api

struct JSONWebTokenTests {
    /// RFC 7515 appendix A.1.
    private static let example =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let exampleKey =
        Base64URL.bytes(
            Array("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8)
        )
        .map(Array.init) ?? []

    private struct Claims: Codable, Equatable {
        var iss: String
        var exp: Double
    }

    private func claims(_ token: String, key: [UInt8]? = exampleKey) -> Claims? {
        JSONWebToken.claims(Claims.self, of: token) { $0.iss == "joe" ? key : nil }
    }

    @Test func theExampleOfTheRFCIsTaken() {
        #expect(claims(Self.example) == Claims(iss: "joe", exp: 1_300_819_380))
    }

    @Test func whatIsSignedIsTakenByItsKeyAlone() throws {
        let key = Array("key".utf8)
        let token = try JSONWebToken.sign(Claims(iss: "joe", exp: 1.5), key: key)
        #expect(claims(token, key: key) == Claims(iss: "joe", exp: 1.5))
        #expect(claims(token) == nil)
        #expect(claims(token, key: nil) == nil)
        let stranger = try JSONWebToken.sign(Claims(iss: "jane", exp: 1.5), key: key)
        #expect(claims(stranger, key: key) == nil)
    }

    @Test func noOtherByteIsTaken() {
        for place in Self.example.indices {
            var token = Self.example
            // Where the two differ in bits that decode to nothing, there is one form all the same.
            token.replaceSubrange(place...place, with: token[place] == "k" ? "l" : "k")
            #expect(claims(token) == nil, "\(token[place]) at \(place.utf16Offset(in: token))")
        }
    }

    /// Headers, each with a signature that fits.
    @Test(arguments: [
        (#"{"alg":"HS256"}"#, true), (#"{"alg":"HS256","typ":"JWT","kid":"a"}"#, true),
        (#"{"alg":"none"}"#, false), (#"{"alg":"None"}"#, false), (#"{"alg":"HS512"}"#, false),
        (#"{"alg":"RS256"}"#, false), (#"{"alg":"hs256"}"#, false), (#"{"alg":7}"#, false), (#"{"typ":"JWT"}"#, false),
        (#"{"alg":"HS256","crit":["exp"],"exp":1}"#, false), (#"{"alg":"HS256","crit":7}"#, false),
        (#"["HS256"]"#, false), ("", false), ("{", false),
    ])
    func anotherAlgorithmOrAnExtensionIsRefused(header: String, isTaken: Bool) {
        let claims = Base64URL.text(#"{"iss":"joe","exp":1}"#.utf8)
        let token = signed("\(Base64URL.text(header.utf8)).\(claims)")
        #expect((self.claims(token) != nil) == isTaken)
    }

    @Test func anUnsignedTokenIsRefused() {
        let claims = Base64URL.text(#"{"iss":"joe","exp":1}"#.utf8)
        for algorithm in ["none", "HS256"] {
            let header = Base64URL.text(#"{"alg":"\#(algorithm)"}"#.utf8)
            #expect(self.claims("\(header).\(claims).") == nil)
            #expect(self.claims("\(header).\(claims)") == nil)
        }
    }

    @Test func otherFormsAreRefused() {
        let parts = Self.example.split(separator: ".")
        let (header, payload, signature) = (parts[0], parts[1], parts[2])
        for token in [
            "", ".", "..", "...", "\(header).\(payload)", "\(Self.example).", ".\(Self.example)", "\(Self.example).a",
            "\(Self.example)=", "\(Self.example)\n", " \(Self.example)", "\(header)=.\(payload).\(signature)",
            "\(header).\(payload)==.\(signature)", "\(header)..\(signature)",
            Self.example.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/"),
        ] {
            #expect(claims(token) == nil, "\(token)")
        }
    }

    @Test func theLengthIsBounded() {
        func token(_ length: Int) -> String {
            let header = Base64URL.text(#"{"alg":"HS256"}"#.utf8)
            // What is left for the claims beside two dots and the signature.
            let count = (length - header.utf8.count - 45) / 4 * 3
            let claims = #"{"iss":"joe","exp":1,"pad":""#
            let padding = String(repeating: "a", count: count - claims.utf8.count - 2)
            return signed("\(header).\(Base64URL.text((claims + padding + #""}"#).utf8))")
        }
        let longest = token(JSONWebToken.longest)
        #expect(longest.utf8.count <= JSONWebToken.longest && longest.utf8.count > JSONWebToken.longest - 4)
        #expect(claims(longest) != nil)
        #expect(claims(token(JSONWebToken.longest + 4)) == nil)
    }

    /// With the signature that fits, by the example's key.
    private func signed(_ text: String) -> String {
        let code = Array(text.utf8).withUnsafeBytes { Hash.hmac($0, key: Self.exampleKey, .sha256) }
        return "\(text).\(Base64URL.text(code))"
    }
}

struct Base64URLTests {
    /// RFC 4648 section 10, and the letters that plain base64 has otherwise.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"), ("\u{3fe}\u{ff}", "z77Dvw"), ("~~~???", "fn5-Pz8_"),
    ])
    func base64URLIsWithoutPadding(plain: String, text: String) {
        #expect(Base64URL.text(plain.utf8) == text)
        #expect(Base64URL.bytes(Array(text.utf8)).map(Array.init) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg==", "Zh", "Zm9", "Z+8", "Z/8", "Zm 8", "Zm8\n", "\u{212A}m8v", "Zm9vé"])
    func otherBase64IsRefused(text: String) { #expect(Base64URL.bytes(Array(text.utf8)) == nil) }
}
