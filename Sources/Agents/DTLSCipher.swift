import COpenSSL
import Wire

/// What a record needs at least, by the cipher that an association negotiated; `Certificate` offers AEAD suites only.
///
/// OpenSSL (seen with 3.0.19) answers an encrypted record that is too short for its cipher with a fatal alert, which is
/// authentic and ends the peer's association: a few bytes with a forged address would end a call. RFC 6347
/// section 4.1.2.7 has such records dropped in silence, so they are kept from it.
enum DTLSCipher {
    /// Bytes of an encrypted fragment: tag, and nonce where it is sent. Nil while no cipher was agreed upon, when
    /// nothing can be encrypted.
    static func minimumFragment(_ ssl: OpaquePointer) -> Int? {
        guard let cipher = SSL_get_current_cipher(ssl) ?? SSL_get_pending_cipher(ssl) else { return nil }
        return switch SSL_CIPHER_get_cipher_nid(cipher) {
        // RFC 7905: the nonce is not sent.
        case NID_chacha20_poly1305: 16
        // GCM, RFC 5288: 8 bytes of nonce, 16 of tag.
        default: 24
        }
    }

    /// Whether OpenSSL may see the record.
    static func admits(_ record: DTLSRecord, of ssl: OpaquePointer) -> Bool {
        guard record.epoch > 0 else { return true }
        guard let minimum = minimumFragment(ssl) else { return false }
        return record.fragment.count >= minimum
    }
}
