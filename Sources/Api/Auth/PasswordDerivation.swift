import Agents

/// How the passwords of meetings are kept: by scrypt.
///
/// They live in memory for as long as the meeting does, so the cost is chosen against guessing through
/// the API (4 MiB and some milliseconds a guess) rather than against stolen disks.
enum PasswordDerivation {
    private static let scrypt = Scrypt(cost: 4_096, blockSize: 8, parallelism: 1)

    static func digest(_ password: String, salt: [UInt8]) -> [UInt8] {
        // An empty digest matches nothing that was derived, and nothing is stored without one.
        scrypt.key(of: password, salt: salt, count: 32) ?? []
    }
}
