import CSRTP
import TestSupport
import Wire

@testable import Dataplane

/// The engines that this machine can run: every code path of ipsec-mb and of our own AES-GCM, OpenSSL's, and libsrtp2's.
enum SRTPEngineChoice: String, CaseIterable, Sendable {
    case best, vaes, aesNi, sse, avx, avx2, avx512, openssl, libsrtp

    func make() -> SRTPEngine? {
        switch self {
        case .best: SRTPEngine(kind: .ipsecMB)
        case .vaes: SRTPEngine(kind: .ipsecMB, gcm: .vaes)
        case .aesNi: SRTPEngine(kind: .ipsecMB, gcm: .aesNi)
        case .sse: SRTPEngine(kind: .ipsecMB, instructions: .sse, gcm: .ipsecMB)
        case .avx: SRTPEngine(kind: .ipsecMB, instructions: .avx, gcm: .ipsecMB)
        case .avx2: SRTPEngine(kind: .ipsecMB, instructions: .avx2, gcm: .ipsecMB)
        case .avx512: SRTPEngine(kind: .ipsecMB, instructions: .avx512, gcm: .ipsecMB)
        case .openssl: SRTPEngine(kind: .openssl)
        case .libsrtp: SRTPOracle.isReady ? SRTPEngine(kind: .libsrtp) : nil
        }
    }

    struct Unavailable: Error {}

    func engine() throws -> SRTPEngine {
        guard let engine = make() else { throw Unavailable() }
        return engine
    }

    static let available = allCases.filter { $0.make() != nil }
}

/// The same packets in every run.
extension SplitMix {
    mutating func keying(_ profile: SRTPProfile) -> SRTPKeying {
        SRTPKeying(profile: profile, key: bytes(profile.keyLength), salt: bytes(profile.saltLength))
    }

    /// An RTP packet with 0...4 CSRCs, perhaps an extension of 0...5 words, and 0...1400 bytes of payload.
    mutating func packet(ssrc: UInt32, sequence: UInt16) -> SRTPPlainPacket {
        let csrcs = Int.random(in: 0...4, using: &self)
        let extensionWords = Bool.random(using: &self) ? Int.random(in: 0...5, using: &self) : nil
        var header: [UInt8] = [0x80 | UInt8(csrcs) | (extensionWords == nil ? 0 : 0x10), 96]
        header += [UInt8(sequence >> 8), UInt8(sequence & 0xFF)] + bytes(4) + ssrc.bigEndianBytes
        header += bytes(4 * csrcs)
        if let extensionWords { header += [0xBE, 0xDE, 0, UInt8(extensionWords)] + bytes(4 * extensionWords) }
        // Lengths around block boundaries are as frequent as long ones.
        let length = Int.random(in: 0...(Bool.random(using: &self) ? 80 : 1400), using: &self)
        return SRTPPlainPacket(header: header, payload: bytes(length), ssrc: ssrc)
    }
}

extension UInt32 {
    var bigEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (24 - 8 * UInt32($0))) } }
}

func srtpHex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

struct SRTPPlainPacket {
    var header: [UInt8]
    var payload: [UInt8]
    var ssrc: UInt32
    var bytes: [UInt8] { header + payload }
}

struct SRTPKeying {
    var profile: SRTPProfile
    var key: [UInt8]
    var salt: [UInt8]

    var master: SRTPMasterKey { SRTPMasterKey(profile: profile, key: key, salt: salt)! }
}

/// A transform with its own slab.
final class SRTPSlab {
    let memory = UnsafeMutableRawPointer.allocate(
        byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
    let transform: SRTPTransform

    init(_ engine: borrowing SRTPEngine, _ keying: SRTPKeying) {
        transform = .install(at: memory, engine: engine, profile: keying.profile, master: keying.master)
    }

    init(_ engine: borrowing SRTPEngine, _ profile: SRTPProfile, session keys: SRTPSessionKeys) {
        transform = .install(at: memory, engine: engine, profile: profile, rtp: keys, rtcp: keys)
    }

    deinit {
        transform.erase()
        memory.deallocate()
    }
}

/// Bytes with a fixed address, with guard bytes behind them that nobody may write.
final class SRTPBuffer {
    static let guardBytes: [UInt8] = Array(repeating: 0xA5, count: 32)
    let start: UnsafeMutablePointer<UInt8>
    let capacity: Int

    init(_ bytes: [UInt8], room: Int = 0) {
        capacity = bytes.count + room
        start = .allocate(capacity: capacity + Self.guardBytes.count)
        start.initialize(repeating: 0, count: capacity)
        start.update(from: bytes, count: bytes.count)
        (start + capacity).initialize(from: Self.guardBytes, count: Self.guardBytes.count)
    }

    deinit { start.deallocate() }

    func prefix(_ count: Int) -> [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    var guardIsIntact: Bool {
        Array(UnsafeBufferPointer(start: start + capacity, count: Self.guardBytes.count)) == Self.guardBytes
    }
}

/// libsrtp2's own session, for any SSRC in one direction.
final class SRTPOracle {
    /// Before anything else of libsrtp2: Debian's stands on NSS, whose first use by two threads at once crashes, and tests
    /// run side by side.
    static let isReady = needletail_srtp_init() == srtp_err_status_ok
    private var session: srtp_t?

    init(_ keying: SRTPKeying, outbound: Bool) {
        precondition(Self.isReady)
        var policy = srtp_policy_t()
        switch keying.profile {
        case .aes128CmHmacSha1:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aeadAes128Gcm:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aeadAes256Gcm:
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
        }
        policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound
        policy.window_size = UInt(ReplayWindow.width)
        var keyAndSalt = keying.key + keying.salt
        let status = keyAndSalt.withUnsafeMutableBufferPointer { bytes in
            policy.key = bytes.baseAddress
            return srtp_create(&session, &policy)
        }
        precondition(status == srtp_err_status_ok)
    }

    deinit { srtp_dealloc(session) }

    /// Only for an SSRC that was seen before; `rollover` is not 0.
    func setRollover(_ rollover: UInt32, ssrc: UInt32) -> Bool {
        srtp_set_stream_roc(session, ssrc, rollover) == srtp_err_status_ok
    }

    func protect(_ bytes: [UInt8]) -> [UInt8]? { run(bytes, srtp_protect) }
    func unprotect(_ bytes: [UInt8]) -> [UInt8]? { run(bytes, srtp_unprotect) }
    func protectRTCP(_ bytes: [UInt8]) -> [UInt8]? { run(bytes, srtp_protect_rtcp) }
    func unprotectRTCP(_ bytes: [UInt8]) -> [UInt8]? { run(bytes, srtp_unprotect_rtcp) }

    private func run(
        _ bytes: [UInt8],
        _ function: (srtp_t?, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>?) -> srtp_err_status_t
    ) -> [UInt8]? {
        // libsrtp2 reads headers as aligned words.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 64, alignment: 16)
        defer { memory.deallocate() }
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        var length = Int32(bytes.count)
        guard function(session, memory, &length) == srtp_err_status_ok else { return nil }
        return Array(UnsafeRawBufferPointer(start: memory, count: Int(length)))
    }
}

/// The length of an RTP header with CSRCs and extension; nil when it does not fit.
func srtpHeaderLength(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 12 else { return nil }
    var length = 12 + 4 * Int(bytes[0] & 0x0F)
    if bytes[0] & 0x10 != 0 {
        guard bytes.count >= length + 4 else { return nil }
        length += 4 + 4 * (Int(bytes[length + 2]) << 8 | Int(bytes[length + 3]))
    }
    return length <= bytes.count ? length : nil
}

extension SRTPEngine {
    /// Seals one packet out of place.
    func seal(_ transform: SRTPTransform, _ packet: SRTPPlainPacket, index: UInt64) -> [UInt8] {
        let source = SRTPBuffer(packet.payload)
        let destination = SRTPBuffer(packet.header, room: packet.payload.count + transform.tagLength)
        var job = SealJob(
            transform: transform, source: source.start, destination: destination.start,
            headerLength: packet.header.count, payloadLength: packet.payload.count, index: index, ssrc: packet.ssrc)
        seal(&job, 1)
        return withExtendedLifetime((source, destination)) {
            destination.guardIsIntact ? destination.prefix(job.sealedLength) : []
        }
    }

    /// Opens one packet; nil when it is refused.
    func open(_ transform: SRTPTransform, _ bytes: [UInt8], ssrc: UInt32, index: UInt64) -> [UInt8]? {
        guard let headerLength = srtpHeaderLength(bytes) else { return nil }
        let buffer = SRTPBuffer(bytes)
        var job = OpenJob(
            transform: transform, packet: buffer.start, headerLength: headerLength, length: bytes.count, index: index,
            ssrc: ssrc)
        open(&job, 1)
        return withExtendedLifetime(buffer) {
            job.ok && buffer.guardIsIntact ? buffer.prefix(job.plainLength) : nil
        }
    }
}
