import COpenSSL
import Wire

/// What a master key yields for RTP or for RTCP (RFC 3711 section 4.3).
struct SRTPSessionKeys: BitwiseCopyable {
    /// The labels of RFC 3711 section 4.3.1; for RTCP they are 3 higher.
    enum Purpose: UInt8 {
        case rtp = 0
        case rtcp = 3
    }

    /// The first `profile.keyLength` bytes count.
    var cipherKey = InlineArray<32, UInt8>(repeating: 0)
    /// HMAC-SHA1 key; an AEAD profile has none.
    var authenticationKey = InlineArray<20, UInt8>(repeating: 0)
    /// The first `profile.saltLength` bytes count, the others are 0.
    var salt = InlineArray<16, UInt8>(repeating: 0)

    init() {}

    init(profile: SRTPProfile, master: SRTPMasterKey, purpose: Purpose) {
        var expanded = AES_KEY()
        var key = master.key
        withUnsafeBytes(of: &key) { bytes in
            needletail_aes_set_key(bytes.baseAddress, Int32(profile.keyLength * 8), &expanded)
        }
        var salt = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<profile.saltLength { salt[index] = master.salt[index] }
        withUnsafeMutableBytes(of: &cipherKey) {
            Self.derive(label: purpose.rawValue, salt: salt, key: &expanded, into: $0, count: profile.keyLength)
        }
        withUnsafeMutableBytes(of: &authenticationKey) {
            Self.derive(label: purpose.rawValue + 1, salt: salt, key: &expanded, into: $0, count: 20)
        }
        withUnsafeMutableBytes(of: &self.salt) {
            Self.derive(label: purpose.rawValue + 2, salt: salt, key: &expanded, into: $0, count: profile.saltLength)
        }
        OPENSSL_cleanse(&expanded, MemoryLayout<AES_KEY>.size)
        OPENSSL_cleanse(&key, MemoryLayout.size(ofValue: key))
    }

    /// AES in counter mode over zeros, from label and master salt, with a key derivation rate of 0 (RFC 3711
    /// section 4.3.3). A salt of 96 bits is followed by zeros (RFC 7714 section 11, as libsrtp2 does).
    private static func derive(
        label: UInt8, salt: InlineArray<16, UInt8>, key: inout AES_KEY, into output: UnsafeMutableRawBufferPointer,
        count: Int
    ) {
        var counter = salt
        counter[7] ^= label
        var block = InlineArray<16, UInt8>(repeating: 0)
        for position in 0..<count {
            if position % 16 == 0 {
                counter[15] = UInt8(position / 16)
                withUnsafeBytes(of: &counter) { input in
                    withUnsafeMutableBytes(of: &block) {
                        needletail_aes_encrypt(input.baseAddress, $0.baseAddress, &key)
                    }
                }
            }
            output[position] = block[position % 16]
        }
        OPENSSL_cleanse(&block, 16)
    }

    /// Overwrites the keys.
    mutating func erase() { OPENSSL_cleanse(&self, MemoryLayout<Self>.size) }
}
