/// Initialization vectors, written where the ciphers read them.
enum SRTPNonce {
    /// AES-GCM, 12 bytes (RFC 7714 sections 8.1 and 9.1): two zero bytes, SSRC, 48 bits of index; xor the salt. An
    /// SRTCP index of 31 bits stands at the same place.
    @inline(__always)
    static func writeGcm(
        to memory: UnsafeMutableRawPointer, salt: UnsafeRawPointer, ssrc: UInt32, index: UInt64
    ) {
        let nonce = gcm(salt: salt, ssrc: ssrc, index: index)
        memory.storeBytes(of: nonce.first, as: UInt64.self)
        memory.storeBytes(of: nonce.last, toByteOffset: 8, as: UInt32.self)
    }

    /// The same 12 bytes in registers, as they would lie in memory.
    @inline(__always)
    static func gcm(salt: UnsafeRawPointer, ssrc: UInt32, index: UInt64) -> (first: UInt64, last: UInt32) {
        let high = (UInt64(ssrc) &<< 16 | (index &>> 32) & 0xFFFF).bigEndian
        let low = UInt32(truncatingIfNeeded: index).bigEndian
        return (
            high ^ salt.loadUnaligned(as: UInt64.self), low ^ salt.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        )
    }

    /// AES-CM, 16 bytes (RFC 3711 section 4.1.1): salt * 2^16 xor SSRC * 2^64 xor index * 2^16; the last two bytes
    /// count blocks. The salt is followed by two zero bytes.
    @inline(__always)
    static func writeCounterMode(
        to memory: UnsafeMutableRawPointer, salt: UnsafeRawPointer, ssrc: UInt32, index: UInt64
    ) {
        let high = UInt64(ssrc).bigEndian
        let low = (index &<< 16).bigEndian
        memory.storeBytes(of: high ^ salt.loadUnaligned(as: UInt64.self), as: UInt64.self)
        memory.storeBytes(
            of: low ^ salt.loadUnaligned(fromByteOffset: 8, as: UInt64.self), toByteOffset: 8, as: UInt64.self)
    }
}
