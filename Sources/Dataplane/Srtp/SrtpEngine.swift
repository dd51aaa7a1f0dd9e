import Wire

/// Seals and opens SRTP and SRTCP (RFC 3711, RFC 7714), a burst at a time.
///
/// One per worker: it owns the multi-buffer manager and scratch memory, and must be used by one thread at a time.
struct SrtpEngine: ~Copyable, @unchecked Sendable {
    enum Kind: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        /// Intel ipsec-mb: the fast path, on x86-64 with AES-NI.
        case ipsecMB
        /// libsrtp2's ciphers, on any CPU.
        case libsrtp
    }

    let kind: Kind

    /// The kind that suits this CPU.
    init() { fatalError() }
    /// Nil when this CPU or build cannot do `kind`.
    init?(kind: Kind) { return nil }

    /// Library, version, instruction set and CPU features in one line for `needletail version` and the log.
    static var description: String { fatalError() }

    /// Protects `count` packets, each with any profile and key: ciphertext and tag stand after the header.
    func seal(_ jobs: UnsafeMutablePointer<SealJob>, _ count: Int) { fatalError() }

    /// Verifies and decrypts `count` packets in place; each job says whether its packet is authentic.
    func open(_ jobs: UnsafeMutablePointer<OpenJob>, _ count: Int) { fatalError() }

    /// Protects a compound RTCP packet of `length` bytes (at least 8) in place and returns its new length. The memory
    /// holds `length + transform.rtcpTrailerLength` bytes. `index` has 31 bits, and is used once.
    func sealRtcp(
        _ transform: SrtpTransform, _ packet: UnsafeMutablePointer<UInt8>, _ length: Int, index: UInt32
    ) -> Int { fatalError() }

    /// Verifies and decrypts an SRTCP packet in place; nil when it is too short, not encrypted (E = 0) or not authentic,
    /// and then the packet's content is undefined. The caller checks `index` against its `ReplayWindow` and drops replays.
    func openRtcp(
        _ transform: SrtpTransform, _ packet: UnsafeMutablePointer<UInt8>, _ length: Int
    ) -> (plainLength: Int, index: UInt32)? { fatalError() }
}
