import Agents

/// How the passwords of meetings are kept: by HMAC-SHA256 with a salt each, which all PoPs of a fleet can repeat.
///
/// They lie beside their meetings' host keys, in memory and, with a Store, in a file that nobody else reads: who has that
/// needs no password. What protects them is the limit of guesses (`GuessLimits`). A derivation that is slow on purpose would
/// cost the node more than it costs who guesses.
enum PasswordDerivation {
    static func digest(_ password: String, salt: [UInt8]) -> [UInt8] {
        Array(password.utf8).withUnsafeBytes { Hash.hmac($0, key: salt, .sha256) }
    }
}
