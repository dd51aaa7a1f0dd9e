import CAesGcm
import Wire

/// AES-GCM by our own code (`CShims/CAesGcm`), a packet at a time: it takes about half of the time of ipsec-mb's on a
/// CPU with VAES and without AVX-512. `MultiBuffer` uses it for the profiles of RFC 7714.
struct AesGcm: BitwiseCopyable, Sendable {
    private let path: needletail_gcm_path

    /// The fastest path of this CPU; nil when it has none.
    static var best: AesGcm? {
        AesGcm(needletail_gcm_vaes) ?? AesGcm(needletail_gcm_aesni)
    }

    /// Nil when this CPU cannot do it.
    init?(_ path: needletail_gcm_path) {
        guard path.rawValue <= needletail_gcm_best_path() else { return nil }
        self.path = path
    }

    var description: String { path == needletail_gcm_vaes ? "VAES" : "AES-NI" }

    /// Expands a key of `length` bytes into `block`, `keyByteCount` bytes aligned to 64.
    func expand(_ key: UnsafeRawPointer?, length: Int, into block: UnsafeMutableRawPointer) {
        needletail_gcm_expand(block, key, UInt32(truncatingIfNeeded: length))
    }

    /// What packets read of an expanded key.
    static func keyByteCount(_ profile: SRTPProfile) -> Int {
        profile == .aeadAes128Gcm ? needletail_gcm_key128_size : needletail_gcm_key_size
    }

    /// Writes ciphertext and tag behind the header.
    @inline(__always)
    func seal(_ job: SealJob) {
        seal(
            keys: job.transform.rtpKeys, from: job.source, to: job.destination + job.headerLength,
            length: job.payloadLength, additionalData: job.destination, additionalLength: job.headerLength,
            nonce: SRTPNonce.gcm(salt: job.transform.rtpSalt, ssrc: job.ssrc, index: job.index), patch: job.patch)
    }

    @inline(__always)
    func seal(
        keys: UnsafeRawPointer, from source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>,
        length: Int, additionalData: UnsafePointer<UInt8>, additionalLength: Int,
        nonce: (first: UInt64, last: UInt32), patch: UInt64
    ) {
        var packet = needletail_gcm_job(
            key: keys, aad: additionalData, aad_length: UInt64(truncatingIfNeeded: additionalLength), source: source,
            destination: destination, length: UInt64(truncatingIfNeeded: length), patch: patch,
            nonce_first: nonce.first, nonce_last: nonce.last, is_authentic: 0)
        if path == needletail_gcm_vaes {
            needletail_gcm_vaes_seal(&packet, 1)
        } else {
            needletail_gcm_aesni_seal(&packet, 1)
        }
    }

    /// Decrypts in place what a tag of 16 bytes follows; whether that is right.
    @inline(__always)
    func open(
        keys: UnsafeRawPointer, payload: UnsafeMutablePointer<UInt8>, length: Int,
        additionalData: UnsafePointer<UInt8>, additionalLength: Int, nonce: (first: UInt64, last: UInt32)
    ) -> Bool {
        var packet = needletail_gcm_job(
            key: keys, aad: additionalData, aad_length: UInt64(truncatingIfNeeded: additionalLength), source: payload,
            destination: payload, length: UInt64(truncatingIfNeeded: length), patch: 0, nonce_first: nonce.first,
            nonce_last: nonce.last, is_authentic: 0)
        if path == needletail_gcm_vaes {
            needletail_gcm_vaes_open(&packet, 1)
        } else {
            needletail_gcm_aesni_open(&packet, 1)
        }
        return packet.is_authentic != 0
    }
}
