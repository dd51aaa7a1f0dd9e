import COpenSSL
import CSRTP
import Wire

/// One direction's libsrtp2 objects for RTP or for RTCP: what a transform's key block holds for the reference.
struct LibsrtpKeys: BitwiseCopyable {
    var cipher: UnsafeMutablePointer<srtp_cipher_t>?
    /// Nil for an AEAD profile.
    var authentication: UnsafeMutablePointer<srtp_auth_t>?

    init(block: UnsafeMutableRawPointer) { self = block.load(as: LibsrtpKeys.self) }

    /// Leaves nil what libsrtp2 refuses to make; sealing then writes zeros, and opening fails.
    static func allocate(_ keys: SRTPSessionKeys, profile: SRTPProfile, in block: UnsafeMutableRawPointer) {
        var made = LibsrtpKeys(block: block)
        // Key and salt in one piece; GCM takes the salt with the nonce instead.
        var keyAndSalt = InlineArray<48, UInt8>(repeating: 0)
        for index in 0..<profile.keyLength { keyAndSalt[index] = keys.cipherKey[index] }
        for index in 0..<profile.saltLength { keyAndSalt[profile.keyLength + index] = keys.salt[index] }
        let type =
            switch profile {
            case .aes128CmHmacSha1: needletail_srtp_aes_icm_128()
            case .aeadAes128Gcm: needletail_srtp_aes_gcm_128()
            case .aeadAes256Gcm: needletail_srtp_aes_gcm_256()
            }
        let length = Int32(profile.keyLength + profile.saltLength)
        _ = srtp_cipher_type_alloc(type, &made.cipher, length, profile == .aes128CmHmacSha1 ? 0 : 16)
        withUnsafeMutableBytes(of: &keyAndSalt) { bytes in
            _ = srtp_cipher_init(made.cipher, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        }
        if profile == .aes128CmHmacSha1 {
            var key = keys.authenticationKey
            _ = needletail_srtp_hmac_alloc(&made.authentication, 20, 10)
            withUnsafeMutableBytes(of: &key) { bytes in
                if let authentication = made.authentication {
                    _ = needletail_srtp_auth_init(
                        authentication, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
                }
                OPENSSL_cleanse(bytes.baseAddress, bytes.count)
            }
        }
        block.storeBytes(of: made, as: LibsrtpKeys.self)
    }

    @inline(never)
    func deallocate() {
        if let cipher { _ = srtp_cipher_dealloc(cipher) }
        if let authentication { needletail_srtp_auth_dealloc(authentication) }
    }
}
