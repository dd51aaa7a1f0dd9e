import COpenSSL
import Wire

/// One direction's OpenSSL objects for RTP or for RTCP: what a transform's key block holds on a CPU without ipsec-mb.
///
/// The cipher's context is made with the keys and keeps them: a packet brings only its nonce, so that nothing is
/// allocated for it. EVP's HMAC does allocate for each packet; SHA-1 states after the pads, as ipsec-mb keeps them, do
/// not.
struct OpensslKeys: BitwiseCopyable {
    private enum Layout {
        static let inner = 64
        static let outer = 192
    }

    let block: UnsafeMutableRawPointer

    /// `EVP_CIPHER_CTX`. Nil when OpenSSL refused to make it; sealing then writes zeros, and opening fails.
    var cipher: OpaquePointer? { block.load(as: OpaquePointer?.self) }
    /// SHA-1 states after the inner and the outer pad of HMAC (RFC 2104); unused by an AEAD profile.
    var inner: UnsafeMutablePointer<SHA_CTX> { (block + Layout.inner).assumingMemoryBound(to: SHA_CTX.self) }
    var outer: UnsafeMutablePointer<SHA_CTX> { (block + Layout.outer).assumingMemoryBound(to: SHA_CTX.self) }

    /// Set-up work: allocates.
    static func allocate(_ keys: SRTPSessionKeys, profile: SRTPProfile, in block: UnsafeMutableRawPointer) {
        let made = OpensslKeys(block: block)
        block.storeBytes(of: makeCipher(keys, profile), as: OpaquePointer?.self)
        guard profile == .aes128CmHmacSha1 else { return }
        made.writePad(0x36, keys.authenticationKey, to: made.inner)
        made.writePad(0x5c, keys.authenticationKey, to: made.outer)
    }

    private static func makeCipher(_ keys: SRTPSessionKeys, _ profile: SRTPProfile) -> OpaquePointer? {
        let type =
            switch profile {
            case .aes128CmHmacSha1: EVP_aes_128_ctr()
            case .aeadAes128Gcm: EVP_aes_128_gcm()
            case .aeadAes256Gcm: EVP_aes_256_gcm()
            }
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        var key = keys.cipherKey
        var nonce: (UInt64, UInt64) = (0, 0)
        let isReady = withUnsafeMutableBytes(of: &key) { key in
            defer { OPENSSL_cleanse(key.baseAddress, key.count) }
            return withUnsafeBytes(of: &nonce) { nonce in
                EVP_CipherInit_ex(
                    cipher, type, nil, key.assumingMemoryBound(to: UInt8.self).baseAddress,
                    nonce.assumingMemoryBound(to: UInt8.self).baseAddress, 1) == 1
            }
        }
        if isReady { return cipher }
        EVP_CIPHER_CTX_free(cipher)
        return nil
    }

    private func writePad(_ byte: UInt8, _ key: InlineArray<20, UInt8>, to state: UnsafeMutablePointer<SHA_CTX>) {
        var pad = InlineArray<64, UInt8>(repeating: byte)
        for index in 0..<20 { pad[index] ^= key[index] }
        needletail_sha1_init(state)
        withUnsafeMutableBytes(of: &pad) { bytes in
            needletail_sha1_update(state, bytes.baseAddress, bytes.count)
            OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        }
    }

    /// OpenSSL overwrites the keys in the context; whoever owns the block overwrites that. Kept out of the code of ipsec-mb's
    /// keys, which frees nothing.
    @inline(never)
    func deallocate() { EVP_CIPHER_CTX_free(cipher) }
}

/// Steps of one packet; each returns whether OpenSSL succeeded.
extension OpensslKeys {
    /// Begins a packet with its nonce, 12 bytes for AES-GCM and 16 for AES-CM.
    func begin(_ nonce: UnsafeRawPointer, isSealing: Bool) -> Bool {
        EVP_CipherInit_ex(
            cipher, nil, nil, nil, nonce.assumingMemoryBound(to: UInt8.self), isSealing ? 1 : 0) == 1
    }

    /// Additional data of AES-GCM.
    func addData(_ bytes: UnsafeRawPointer, _ length: Int) -> Bool {
        var count: Int32 = 0
        return EVP_CipherUpdate(
            cipher, nil, &count, bytes.assumingMemoryBound(to: UInt8.self), Int32(truncatingIfNeeded: length)) == 1
    }

    /// Either way, in place or not.
    func crypt(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>, _ length: Int) -> Bool {
        if length == 0 { return true }
        var count: Int32 = 0
        return EVP_CipherUpdate(cipher, destination, &count, source, Int32(truncatingIfNeeded: length)) == 1
    }

    /// Ends AES-GCM and writes the tag, 16 bytes.
    func writeTag(_ place: UnsafeMutablePointer<UInt8>) -> Bool {
        var count: Int32 = 0
        return EVP_CipherFinal_ex(cipher, place, &count) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, place) == 1
    }

    /// Ends AES-GCM and compares the tag, 16 bytes, in constant time.
    func verifyTag(_ place: UnsafeMutablePointer<UInt8>) -> Bool {
        var count: Int32 = 0
        return EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, place) == 1
            && EVP_CipherFinal_ex(cipher, place, &count) == 1
    }

    /// HMAC-SHA1 over the packet and the word that follows it, 20 bytes of which 10 count.
    func authenticate(_ packet: UnsafePointer<UInt8>, _ length: Int, _ word: UInt32) -> InlineArray<20, UInt8> {
        var word = word
        var digest = InlineArray<20, UInt8>(repeating: 0)
        var state = inner.pointee
        needletail_sha1_update(&state, packet, length)
        withUnsafeBytes(of: &word) { needletail_sha1_update(&state, $0.baseAddress, $0.count) }
        withUnsafeMutableBytes(of: &digest) { bytes in
            needletail_sha1_final(bytes.baseAddress, &state)
            state = outer.pointee
            needletail_sha1_update(&state, bytes.baseAddress, bytes.count)
            needletail_sha1_final(bytes.baseAddress, &state)
        }
        return digest
    }
}
