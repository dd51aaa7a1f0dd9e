import Wire

/// One direction of one Session: a handle onto its expanded keys, which live in the caller's slab.
///
/// Whoever owns the slab calls `erase` before it reuses or frees the memory, on the thread that uses the transform.
struct SrtpTransform: BitwiseCopyable, @unchecked Sendable {
    /// Memory that one transform needs; a multiple of `alignment`.
    static let byteCount = 2112
    static let alignment = 64

    let base: UnsafeMutableRawPointer

    /// Derives the session keys (RFC 3711 section 4.3, RFC 7714 section 11) and expands them at `memory`, which holds
    /// `byteCount` bytes aligned to `alignment`. Set-up work: may allocate when the engine is libsrtp2's.
    static func install(
        at memory: UnsafeMutableRawPointer, engine: borrowing SrtpEngine, profile: SrtpProfile, master: SrtpMasterKey
    ) -> SrtpTransform { fatalError() }

    var profile: SrtpProfile { fatalError() }
    /// What sealing adds to an RTP packet, bytes.
    var tagLength: Int { profile.tagLength }
    /// What sealing adds to an RTCP packet, bytes: the tag, and the word of E flag and index.
    var rtcpTrailerLength: Int { profile.tagLength &+ 4 }

    /// Overwrites the keys and frees what `install` allocated. The handle and its copies are dead after it.
    func erase() {}
}
