import CIPSecMB
import COpenSSL
import CSRTP
import Wire

/// One direction of one Session: a handle onto its expanded keys, which live in the caller's slab.
///
/// Whoever owns the slab calls `erase` before it reuses or frees the memory, on the thread that uses the transform.
struct SRTPTransform: BitwiseCopyable, @unchecked Sendable {
    /// Memory that one transform needs; a multiple of `alignment`.
    static let byteCount = 2112
    static let alignment = 64

    let base: UnsafeMutableRawPointer

    /// Derives the session keys (RFC 3711 section 4.3, RFC 7714 section 11) and expands them at `memory`, which holds
    /// `byteCount` bytes aligned to `alignment`. Set-up work: allocates when the engine is not ipsec-mb's.
    static func install(
        at memory: UnsafeMutableRawPointer, engine: borrowing SRTPEngine, profile: SRTPProfile, master: SRTPMasterKey
    ) -> SRTPTransform {
        var rtp = SRTPSessionKeys(profile: profile, master: master, purpose: .rtp)
        var rtcp = SRTPSessionKeys(profile: profile, master: master, purpose: .rtcp)
        defer {
            rtp.erase()
            rtcp.erase()
        }
        return install(at: memory, engine: engine, profile: profile, rtp: rtp, rtcp: rtcp)
    }

    /// As above, from session keys.
    static func install(
        at memory: UnsafeMutableRawPointer, engine: borrowing SRTPEngine, profile: SRTPProfile, rtp: SRTPSessionKeys,
        rtcp: SRTPSessionKeys
    ) -> SRTPTransform {
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let transform = SRTPTransform(base: memory)
        memory.storeBytes(of: profile, as: SRTPProfile.self)
        memory.storeBytes(of: engine.kind, toByteOffset: Layout.kind, as: SRTPEngine.Kind.self)
        let keyByteCount = UInt16(engine.keyByteCount(profile))
        memory.storeBytes(of: keyByteCount, toByteOffset: Layout.keyByteCount, as: UInt16.self)
        memory.storeBytes(of: rtp.salt, toByteOffset: Layout.rtpSalt, as: InlineArray<16, UInt8>.self)
        memory.storeBytes(of: rtcp.salt, toByteOffset: Layout.rtcpSalt, as: InlineArray<16, UInt8>.self)
        engine.expand(rtp, profile: profile, into: transform.rtpKeys)
        engine.expand(rtcp, profile: profile, into: transform.rtcpKeys)
        return transform
    }

    @inline(__always)
    var profile: SRTPProfile { base.load(as: SRTPProfile.self) }

    /// What sealing adds to an RTP packet, bytes.
    @inline(__always)
    var tagLength: Int { profile.tagLength }

    /// What sealing adds to an RTCP packet, bytes: the tag, and the word of E flag and index.
    @inline(__always)
    var rtcpTrailerLength: Int { profile.tagLength &+ 4 }

    /// Overwrites the keys and frees what `install` allocated. The handle and its copies are dead after it.
    func erase() {
        switch base.load(fromByteOffset: Layout.kind, as: SRTPEngine.Kind.self) {
        case .ipsecMB: break
        case .openssl:
            OpensslKeys(block: rtpKeys).deallocate()
            OpensslKeys(block: rtcpKeys).deallocate()
        case .libsrtp:
            LibsrtpKeys(block: rtpKeys).deallocate()
            LibsrtpKeys(block: rtcpKeys).deallocate()
        }
        OPENSSL_cleanse(base, Self.byteCount)
    }
}

/// The slab: one cache line of profile and salts, then a block of keys for RTP and one for RTCP.
extension SRTPTransform {
    enum Layout {
        static let kind = 8
        /// What packets read of the RTP keys, bytes.
        static let keyByteCount = 10
        static let rtpSalt = 16
        static let rtcpSalt = 32
        static let rtpKeys = 64
        /// `struct gcm_key_data` is 1008 bytes and over-aligned to 1024.
        static let keysByteCount = 1024
        static let rtcpKeys = rtpKeys + keysByteCount
    }

    /// Where the parts of an AES128_CM_HMAC_SHA1_80 key block stand.
    enum CounterModeLayout {
        /// 11 round keys.
        static let roundKeys = 0
        /// SHA-1 states after the inner and the outer pad of HMAC.
        static let innerState = 192
        static let outerState = 224
        static let byteCount = 256
    }

    @inline(__always)
    var rtpKeys: UnsafeMutableRawPointer { base + Layout.rtpKeys }

    @inline(__always)
    var rtcpKeys: UnsafeMutableRawPointer { base + Layout.rtcpKeys }

    @inline(__always)
    var rtpSalt: UnsafeRawPointer { UnsafeRawPointer(base + Layout.rtpSalt) }

    @inline(__always)
    var rtcpSalt: UnsafeRawPointer { UnsafeRawPointer(base + Layout.rtcpSalt) }

    /// Asks for the keys' length and the salts; `prefetchRTPKeys` reads the former.
    @inline(__always)
    func prefetch() { needletail_prefetch(base) }

    /// Asks for the RTP keys: for GCM round keys and hash powers, 448 to 1024 bytes.
    @inline(__always)
    func prefetchRTPKeys() {
        let end =
            Layout.rtpKeys &+ Int(base.load(fromByteOffset: Layout.keyByteCount, as: UInt16.self))
        var offset = Layout.rtpKeys
        while offset < end {
            needletail_prefetch(base + offset)
            offset &+= 64
        }
    }
}
