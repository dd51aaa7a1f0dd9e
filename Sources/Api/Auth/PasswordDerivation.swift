import Agents

/// How the passwords of meetings are kept: by HMAC-SHA256 with a key of this process, and a salt each.
///
/// They live in memory alone, beside their meetings' host keys, for as long as the process does: what protects them is
/// the limit of guesses (`GuessLimits`). A derivation that is slow on purpose, which is for digests that may be stolen with a
/// disk, would cost the node more than it costs who guesses.
enum PasswordDerivation {
    private static let key = TokenAuthority.freshSecret()

    static func digest(_ password: String, salt: [UInt8]) -> [UInt8] {
        (salt + Array(password.utf8)).withUnsafeBytes { Hash.hmac($0, key: key, .sha256) }
    }
}
