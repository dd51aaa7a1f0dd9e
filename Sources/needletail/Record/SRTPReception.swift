import CSRTP
import Wire

/// libsrtp2's contexts of a session that only receives: it opens RTP and RTCP, and seals RTCP. One thread owns it.
final class SRTPReception {
    private var inbound: srtp_t?
    private var outbound: srtp_t?
    /// What sealing a compound adds at most, bytes: the index, the tag, and no MKI.
    private static let trailer = Int(SRTP_MAX_TRAILER_LEN) + 4

    /// Once for the process: libsrtp2 refuses to begin twice.
    static let isReady = needletail_srtp_init() == srtp_err_status_ok

    /// Nil when libsrtp2 refuses.
    init?(profile: SRTPProfile, receive: SRTPMasterKey, send: SRTPMasterKey) {
        guard Self.isReady,
            let inbound = Self.make(profile, receive, ssrc_any_inbound),
            let outbound = Self.make(profile, send, ssrc_any_outbound)
        else { return nil }
        (self.inbound, self.outbound) = (inbound, outbound)
    }

    deinit {
        if let inbound { srtp_dealloc(inbound) }
        if let outbound { srtp_dealloc(outbound) }
    }

    private static func make(_ profile: SRTPProfile, _ master: SRTPMasterKey, _ type: srtp_ssrc_type_t) -> srtp_t? {
        var policy = srtp_policy_t()
        for each in [\srtp_policy_t.rtp, \srtp_policy_t.rtcp] {
            switch profile {
            case .aes128CmHmacSha1: srtp_crypto_policy_set_rtp_default(&policy[keyPath: each])
            case .aeadAes128Gcm: srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy[keyPath: each])
            case .aeadAes256Gcm: srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy[keyPath: each])
            }
        }
        policy.ssrc.type = type
        policy.window_size = 1_024
        // Key and salt in one piece.
        var key = (0..<profile.keyLength).map { master.key[$0] } + (0..<profile.saltLength).map { master.salt[$0] }
        defer { for index in key.indices { key[index] = 0 } }
        return key.withUnsafeMutableBufferPointer { key in
            policy.key = key.baseAddress
            var session: srtp_t?
            return srtp_create(&session, &policy) == srtp_err_status_ok ? session : nil
        }
    }

    /// Opens an RTP packet in place; its plain length, nil when it is not authentic, or came before.
    func open(_ packet: UnsafeMutableRawBufferPointer) -> Int? {
        var count = Int32(packet.count)
        return srtp_unprotect(inbound, packet.baseAddress, &count) == srtp_err_status_ok ? Int(count) : nil
    }

    /// The same for RTCP.
    func openRTCP(_ packet: UnsafeMutableRawBufferPointer) -> Int? {
        var count = Int32(packet.count)
        return srtp_unprotect_rtcp(inbound, packet.baseAddress, &count) == srtp_err_status_ok ? Int(count) : nil
    }

    /// A compound as it is sent; nil when libsrtp2 refuses.
    func sealRTCP(_ compound: [UInt8]) -> [UInt8]? {
        var bytes = compound + [UInt8](repeating: 0, count: Self.trailer)
        var count = Int32(compound.count)
        guard srtp_protect_rtcp(outbound, &bytes, &count) == srtp_err_status_ok else { return nil }
        return Array(bytes.prefix(Int(count)))
    }
}
