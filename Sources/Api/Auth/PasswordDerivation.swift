import CryptoExtras
import FoundationEssentials

/// scrypt (RFC 7914) for the passwords of meetings.
///
/// They live in memory for as long as the meeting does, so the cost is chosen against guessing through
/// the API (4 MiB and some milliseconds a guess) rather than against stolen disks.
enum PasswordDerivation {
    static func digest(_ password: String, salt: [UInt8]) -> [UInt8] {
        let key = try? KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 4_096, blockSize: 8, parallelism: 1)
        // An empty digest matches nothing that was derived, and nothing is stored without one.
        return key.map { $0.withUnsafeBytes(Array.init) } ?? []
    }
}
