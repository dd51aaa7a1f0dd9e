/// The SRTP protection profiles that we negotiate; raw values are the DTLS-SRTP registry's
/// (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
@frozen
public enum SRTPProfile: UInt16, Sendable, BitwiseCopyable, CaseIterable {
    /// SRTP_AES128_CM_HMAC_SHA1_80: tags of 80 bits.
    case aes128CmHmacSha1 = 0x0001
    case aeadAes128Gcm = 0x0007
    case aeadAes256Gcm = 0x0008

    /// Master key, bytes.
    @inlinable
    public var keyLength: Int { self == .aeadAes256Gcm ? 32 : 16 }

    /// Master salt, bytes.
    @inlinable
    public var saltLength: Int { self == .aes128CmHmacSha1 ? 14 : 12 }

    /// What sealing adds to an RTP packet, bytes (RFC 3711 section 4.2, RFC 7714 section 13.1).
    @inlinable
    public var tagLength: Int { self == .aes128CmHmacSha1 ? 10 : 16 }
}

/// One direction's master key and salt (RFC 3711 section 3.2.1).
@frozen
public struct SRTPMasterKey: Sendable, BitwiseCopyable {
    /// The first `profile.keyLength` bytes count.
    public var key: InlineArray<32, UInt8>
    /// The first `profile.saltLength` bytes count.
    public var salt: InlineArray<14, UInt8>

    @inlinable
    public init() {
        key = InlineArray(repeating: 0)
        salt = InlineArray(repeating: 0)
    }

    /// Nil when the lengths are not those of `profile`.
    public init?(profile: SRTPProfile, key: [UInt8], salt: [UInt8]) {
        guard key.count == profile.keyLength, salt.count == profile.saltLength else { return nil }
        self.init()
        for (index, byte) in key.enumerated() { self.key[index] = byte }
        for (index, byte) in salt.enumerated() { self.salt[index] = byte }
    }
}
