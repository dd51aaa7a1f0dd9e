import CIPSecMB
import COpenSSL
import Wire

/// Seals and opens SRTP and SRTCP (RFC 3711, RFC 7714), a burst at a time.
///
/// One per worker: it owns the multi-buffer manager and scratch memory, and must be used by one thread at a time.
struct SRTPEngine: ~Copyable, @unchecked Sendable {
    enum Kind: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        /// Intel ipsec-mb and our own AES-GCM: the fast path, on x86-64 with AES-NI.
        case ipsecMB
        /// OpenSSL, on any other CPU.
        case openssl
        /// libsrtp2's ciphers: what the others are compared with, never chosen by itself.
        case libsrtp
    }

    let kind: Kind
    /// Nil for the other kinds.
    let multiBuffer: MultiBuffer?

    /// The kind that suits this CPU.
    init() {
        multiBuffer = MultiBuffer()
        kind = multiBuffer == nil ? .openssl : .ipsecMB
    }

    /// Nil when this CPU cannot do `kind` with `instructions` and `gcm`.
    init?(kind: Kind, instructions: MultiBuffer.Instructions = .best, gcm: MultiBuffer.Gcm = .fastest) {
        self.kind = kind
        multiBuffer = kind == .ipsecMB ? MultiBuffer(instructions, gcm: gcm) : nil
        if kind == .ipsecMB && multiBuffer == nil { return nil }
    }

    deinit { multiBuffer?.deallocate() }

    /// Library, version, instruction set and CPU features in one line for `needletail version` and the log.
    static var description: String {
        let engine = SRTPEngine()
        guard let multiBuffer = engine.multiBuffer else {
            return "OpenSSL " + String(cString: OpenSSL_version(OPENSSL_VERSION_STRING))
                + " (this CPU lacks what ipsec-mb needs)"
        }
        return multiBuffer.description
    }

    /// Protects `count` packets, each with any profile and key: ciphertext and tag stand after the header.
    @inline(__always)
    func seal(_ jobs: UnsafeMutablePointer<SealJob>, _ count: Int) {
        if let multiBuffer { multiBuffer.seal(jobs, count) } else { sealPortably(jobs, count) }
    }

    /// Whether sealing several packets of `profile` together is no faster than one by one.
    @inline(__always)
    func sealsSingly(_ profile: SRTPProfile) -> Bool { multiBuffer != nil && profile != .aes128CmHmacSha1 }

    /// Protects one packet of a profile that `sealsSingly`.
    @inline(__always)
    func seal(_ job: SealJob) {
        multiBuffer.unsafelyUnwrapped.sealGcm(job, isAes256: job.transform.profile == .aeadAes256Gcm)
    }

    /// Verifies and decrypts `count` packets in place; each job says whether its packet is authentic.
    @inline(__always)
    func open(_ jobs: UnsafeMutablePointer<OpenJob>, _ count: Int) {
        if let multiBuffer { multiBuffer.open(jobs, count) } else { openPortably(jobs, count) }
    }

    /// Protects a compound RTCP packet of `length` bytes (at least 8) in place and returns its new length. The memory
    /// holds `length + transform.rtcpTrailerLength` bytes. `index` has 31 bits, and is used once.
    func sealRTCP(
        _ transform: SRTPTransform, _ packet: UnsafeMutablePointer<UInt8>, _ length: Int, index: UInt32
    ) -> Int {
        let rtcp = SRTCPPacket(transform: transform, packet: packet, plainLength: length, index: index & 0x7FFF_FFFF)
        switch kind {
        case .ipsecMB: multiBuffer?.sealRTCP(rtcp)
        case .openssl: Openssl.sealRTCP(rtcp)
        case .libsrtp: Libsrtp.sealRTCP(rtcp)
        }
        return length &+ transform.rtcpTrailerLength
    }

    /// Verifies and decrypts an SRTCP packet in place; nil when it is too short, not encrypted (E = 0) or not
    /// authentic, and then the packet's content is undefined. The caller checks `index` against its `ReplayWindow` and
    /// drops replays.
    func openRTCP(
        _ transform: SRTPTransform, _ packet: UnsafeMutablePointer<UInt8>, _ length: Int
    ) -> (plainLength: Int, index: UInt32)? {
        guard let rtcp = SRTCPPacket(transform: transform, packet: packet, sealedLength: length) else { return nil }
        let authentic =
            switch kind {
            case .ipsecMB: multiBuffer?.openRTCP(rtcp) ?? false
            case .openssl: Openssl.openRTCP(rtcp)
            case .libsrtp: Libsrtp.openRTCP(rtcp)
            }
        return authentic ? (rtcp.plainLength, rtcp.index) : nil
    }

    /// Expands session keys into the key block of a transform.
    func expand(_ keys: SRTPSessionKeys, profile: SRTPProfile, into block: UnsafeMutableRawPointer) {
        switch kind {
        case .ipsecMB: multiBuffer?.expand(keys, profile: profile, into: block)
        case .openssl: OpensslKeys.allocate(keys, profile: profile, in: block)
        case .libsrtp: LibsrtpKeys.allocate(keys, profile: profile, in: block)
        }
    }

    /// What packets of `profile` read of a key block, bytes; for prefetching.
    func keyByteCount(_ profile: SRTPProfile) -> Int {
        multiBuffer?.keyByteCount(profile) ?? SRTPTransform.Layout.keysByteCount
    }

    /// Kept out of the way of ipsec-mb.
    @inline(never)
    private func sealPortably(_ jobs: UnsafeMutablePointer<SealJob>, _ count: Int) {
        if kind == .openssl { Openssl.seal(jobs, count) } else { Libsrtp.seal(jobs, count) }
    }

    @inline(never)
    private func openPortably(_ jobs: UnsafeMutablePointer<OpenJob>, _ count: Int) {
        if kind == .openssl { Openssl.open(jobs, count) } else { Libsrtp.open(jobs, count) }
    }
}
