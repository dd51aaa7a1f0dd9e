import COpenSSL
import Wire

/// Our DTLS identity: a self-signed ECDSA P-256 certificate made at start, and the settings of every
/// handshake that uses it. One thread or actor owns it together with its handshakes.
public final class Certificate {
    /// SHA-256 of the certificate, for `a=fingerprint`.
    public let fingerprint: Fingerprint
    let context: OpaquePointer

    /// Makes a key and a certificate.
    ///
    /// - Parameters:
    ///   - profiles: what we negotiate, the most preferred first; our order wins over a client's.
    ///   - notBefore: the begin of validity, seconds since 1970; the end is a year after it. Peers verify the
    ///     fingerprint and not the dates.
    /// - Throws: what OpenSSL says.
    public init(
        profiles: [SrtpProfile] = [.aeadAes128Gcm, .aeadAes256Gcm, .aes128CmHmacSha1_80], notBefore: Int
    ) throws(DTLSError) {
        throw DTLSError("no context")
    }
}

/// OpenSSL refused something that depends on us and not on a peer.
public struct DTLSError: Error, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}
