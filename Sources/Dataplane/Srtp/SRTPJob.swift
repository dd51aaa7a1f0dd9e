/// One RTP packet to protect; see `SRTPEngine.seal`.
struct SealJob: BitwiseCopyable {
    /// The sender's direction of the Session that the packet goes to.
    var transform: SRTPTransform
    /// Plaintext payload, `payloadLength` bytes; may be `destination + headerLength` (in place), must not
    /// overlap the destination's payload otherwise. It stays as it is (but see `mayPatchSource`).
    var source: UnsafePointer<UInt8>
    /// The packet to be: the RTP header with CSRCs and extensions already stands here in clear, and
    /// ciphertext and tag follow. Room for `headerLength + payloadLength + transform.profile.tagLength` bytes.
    var destination: UnsafeMutablePointer<UInt8>
    /// RTP header with CSRCs and extensions, bytes: authenticated, not encrypted. At least 12.
    var headerLength: Int
    /// Bytes; 0 is allowed.
    var payloadLength: Int
    /// Roll-over counter << 16 | sequence number: 48 bits (RFC 3711 section 3.3.1). The low 16 bits are the
    /// header's sequence number. Never seal two different packets of an SSRC with the same index.
    var index: UInt64
    /// As in the header, host byte order.
    var ssrc: UInt32
    /// The plaintext is `source` with its first 8 bytes xored with these, as they lie in memory. Behind a shorter
    /// payload they are zero.
    var patch: UInt64 = 0
    /// Whether `source`, which then lies elsewhere, may be changed for as long as it is sealed: it can be written, and
    /// nobody else reads it.
    var mayPatchSource = false

    /// The sealed packet's length, bytes.
    @inline(__always)
    var sealedLength: Int { headerLength &+ payloadLength &+ transform.tagLength }
}

/// One received SRTP packet to verify and decrypt in place; see `SRTPEngine.open`.
struct OpenJob: BitwiseCopyable {
    /// The receiver's direction of the Session that the packet came from.
    var transform: SRTPTransform
    /// The whole packet; the payload is decrypted where it lies. Its content after the header is undefined
    /// when `ok` is false.
    var packet: UnsafeMutablePointer<UInt8>
    /// RTP header with CSRCs and extensions, bytes. At least 12.
    var headerLength: Int
    /// The whole packet with its tag, bytes. Shorter than header and tag together: `ok` becomes false.
    var length: Int
    /// Estimate of the packet's index (`RolloverCounter.estimate`).
    var index: UInt64
    /// As in the header, host byte order.
    var ssrc: UInt32
    /// Result: the packet is authentic.
    var ok = false
    /// Result: the plain packet's length with its header, bytes; 0 unless `ok`.
    var plainLength = 0
}

extension UnsafeMutableRawPointer {
    /// Xors 8 bytes, at any alignment, with those of `patch` as they lie in memory.
    @inline(__always)
    func xorFirst(_ patch: UInt64) { storeBytes(of: loadUnaligned(as: UInt64.self) ^ patch, as: UInt64.self) }
}
