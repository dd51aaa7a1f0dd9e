import Agents

/// How the passwords of meetings are kept: by HMAC-SHA256 with a salt each, which all PoPs of a fleet can repeat.
///
/// They live in memory alone, beside their meetings' host keys, for as long as the processes do: what protects them is
/// the limit of guesses (`GuessLimits`). A derivation that is slow on purpose, which is for digests that may be stolen with a
/// disk, would cost the node more than it costs who guesses.
enum PasswordDerivation {
    static func digest(_ password: String, salt: [UInt8]) -> [UInt8] {
        Array(password.utf8).withUnsafeBytes { Hash.hmac($0, key: salt, .sha256) }
    }
}
