import Agents
import FoundationEssentials

/// JSON Web Tokens (RFC 7519) in the compact form (RFC 7515 section 7.1), signed by HMAC-SHA256 and by nothing else: a
/// token cannot choose its algorithm (RFC 8725 section 3.1).
enum JSONWebToken {
    /// Longer ones are refused unread, bytes.
    static let longest = 4_096

    private static let algorithm = "HS256"
    private static let dot = UInt8(ascii: ".")

    private struct Header: Codable {
        var alg: String
        var typ: String?
        /// Extensions that must be understood (RFC 7515 section 4.1.11). There are none that we do.
        var crit: [String]?
    }

    /// The token of `claims`.
    static func sign(_ claims: some Encodable, key: [UInt8]) throws -> String {
        let encoder = JSONEncoder()
        let header = Base64URL.text(try encoder.encode(Header(alg: algorithm, typ: "JWT")))
        let signed = "\(header).\(Base64URL.text(try encoder.encode(claims)))"
        return "\(signed).\(signature(of: Array(signed.utf8), key: key))"
    }

    /// The claims of a token that is signed. Whether they hold at this time, the caller knows.
    ///
    /// - Parameter key: the key of whom the claims name, who is not proved yet; nil when nobody has that name.
    /// - Returns: nil for everything else.
    static func claims<Claims: Decodable>(
        _ type: Claims.Type, of token: String, key: (Claims) -> [UInt8]?
    ) -> Claims? {
        guard token.utf8.count <= longest else { return nil }
        let parts = Array(token.utf8).split(separator: dot, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = decode(Header.self, parts[0]),
            header.alg == algorithm, header.crit == nil,
            let claims = decode(type, parts[1]), let key = key(claims)
        else { return nil }
        let expected = signature(of: Array(parts[0] + [dot] + parts[1]), key: key)
        // As texts, so that a signature has one form.
        return Hash.isEqual(expected.utf8, parts[2]) ? claims : nil
    }

    /// The claims of a token that nobody has checked.
    static func unverifiedClaims<Claims: Decodable>(_ type: Claims.Type, of token: String) -> Claims? {
        guard token.utf8.count <= longest else { return nil }
        let parts = Array(token.utf8).split(separator: dot, omittingEmptySubsequences: false)
        return parts.count == 3 ? decode(type, parts[1]) : nil
    }

    private static func signature(of bytes: [UInt8], key: [UInt8]) -> String {
        Base64URL.text(bytes.withUnsafeBytes { Hash.hmac($0, key: key, .sha256) })
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ part: ArraySlice<UInt8>) -> Value? {
        Base64URL.bytes(part).flatMap { try? JSONDecoder().decode(type, from: $0) }
    }
}
