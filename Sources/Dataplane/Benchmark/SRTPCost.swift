import CSRTP
import Wire

/// Work for benchmarks: seals the same payload for many receivers with a key each, by one of the ways that we have, and
/// opens it. The caller takes the time, of several ways in one run.
public struct SRTPCost: ~Copyable {
    public enum Way: CaseIterable, Sendable {
        /// `SRTPEngine` as it is on a CPU that ipsec-mb suits, with AES-GCM of our own where that is faster.
        case ipsecMB
        /// `SRTPEngine` on libsrtp2's ciphers.
        case libsrtpCiphers
        /// `srtp_protect`, in place on a copy of the packet.
        case libsrtpSession
    }

    private static let burst = 64
    private static let headerLength = 20
    private static let packetStride = 2048
    /// libsrtp2 (2.5 on NSS) refuses a second initialization.
    private static let libsrtpIsReady = needletail_srtp_init() == srtp_err_status_ok

    private let way: Way
    private let engine: SRTPEngine
    private let profile: SRTPProfile
    private let payloadLength: Int
    private let keyCount: Int
    private let slabs: UnsafeMutableRawPointer
    private let sessions: UnsafeMutablePointer<srtp_t?>
    private let source: UnsafeMutablePointer<UInt8>
    private let packets: UnsafeMutableRawPointer
    private let jobs: UnsafeMutablePointer<SealJob>
    private let opens: UnsafeMutablePointer<OpenJob>

    /// Nil when this CPU cannot do it. `payloadLength`: bytes, up to 1500; `keyCount`: at least 1.
    public init?(_ way: Way, profile: SRTPProfile, keyCount: Int, payloadLength: Int) {
        guard let engine = SRTPEngine(kind: way == .ipsecMB ? .ipsecMB : .libsrtp), keyCount > 0,
            (0...1500).contains(payloadLength), Self.libsrtpIsReady
        else { return nil }
        self.way = way
        self.engine = engine
        self.profile = profile
        self.payloadLength = payloadLength
        self.keyCount = keyCount
        slabs = .allocate(byteCount: keyCount * SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
        sessions = .allocate(capacity: keyCount)
        sessions.initialize(repeating: nil, count: keyCount)
        source = .allocate(capacity: Self.packetStride)
        source.initialize(repeating: 0x5A, count: Self.packetStride)
        packets = .allocate(byteCount: Self.burst * Self.packetStride, alignment: 64)
        packets.initializeMemory(as: UInt8.self, repeating: 0, count: Self.burst * Self.packetStride)
        jobs = .allocate(capacity: Self.burst)
        opens = .allocate(capacity: Self.burst)
        for index in 0..<keyCount { install(index) }
    }

    deinit {
        for index in 0..<keyCount {
            if way != .libsrtpSession { transform(index).erase() }
            if let session = sessions[index] { srtp_dealloc(session) }
        }
        slabs.deallocate()
        sessions.deallocate()
        source.deallocate()
        packets.deallocate()
        jobs.deallocate()
        opens.deallocate()
    }

    /// Seals one packet for each key `rounds` times, in bursts; a round's sequence number is `first` and up. Returns
    /// how many packets that was. For `.libsrtpSession`, sequence numbers must rise from call to call.
    public func seal(rounds: Int, first: Int) -> Int {
        var sealed = 0
        for round in 0..<rounds {
            var key = 0
            while key < keyCount {
                let count = min(Self.burst, keyCount - key)
                sealBurst(firstKey: key, count: count, index: UInt64(first + round))
                key += count
                sealed += count
            }
        }
        return sealed
    }

    /// Seals a packet for each of the first keys (64 at most), for `open`. How many.
    public func prepareToOpen(_ index: Int) -> Int {
        let count = min(Self.burst, keyCount)
        sealBurst(firstKey: 0, count: count, index: UInt64(index))
        for slot in 0..<count {
            opens[slot] = OpenJob(
                transform: transform(slot), packet: packet(slot), headerLength: Self.headerLength,
                length: jobs[slot].sealedLength, index: jobs[slot].index, ssrc: jobs[slot].ssrc)
        }
        return count
    }

    /// Opens what was prepared, in bursts as a worker receives them; not for `.libsrtpSession`.
    public func open() {
        let count = min(Self.burst, keyCount)
        var first = 0
        while first < count {
            engine.open(opens + first, min(Worker<DPDKQueue>.burst, count - first))
            first += Worker<DPDKQueue>.burst
        }
    }

    /// Whether all came back.
    public var haveOpened: Bool { (0..<min(Self.burst, keyCount)).allSatisfy { opens[$0].ok } }

    private func packet(_ slot: Int) -> UnsafeMutablePointer<UInt8> {
        (packets + slot * Self.packetStride).assumingMemoryBound(to: UInt8.self)
    }

    private func transform(_ key: Int) -> SRTPTransform {
        SRTPTransform(base: slabs + key * SRTPTransform.byteCount)
    }

    private func sealBurst(firstKey: Int, count: Int, index: UInt64) {
        for slot in 0..<count {
            let destination = packet(slot)
            destination[0] = 0x90
            destination[2] = UInt8(truncatingIfNeeded: index >> 8)
            destination[3] = UInt8(truncatingIfNeeded: index)
            if way == .libsrtpSession {
                (destination + Self.headerLength).update(from: source, count: payloadLength)
                var length = Int32(Self.headerLength + payloadLength)
                _ = srtp_protect(sessions[firstKey + slot], destination, &length)
                continue
            }
            (jobs + slot).initialize(
                to: SealJob(
                    transform: transform(firstKey + slot), source: source, destination: destination,
                    headerLength: Self.headerLength, payloadLength: payloadLength, index: index, ssrc: 0))
        }
        if way != .libsrtpSession { engine.seal(jobs, count) }
    }

    /// Keys that differ, and need not be secret.
    private func install(_ index: Int) {
        var master = SRTPMasterKey()
        withUnsafeMutableBytes(of: &master.key) { $0.storeBytes(of: index, as: Int.self) }
        if way != .libsrtpSession {
            _ = SRTPTransform.install(
                at: slabs + index * SRTPTransform.byteCount, engine: engine, profile: profile, master: master)
            return
        }
        var policy = srtp_policy_t()
        switch profile {
        case .aes128CmHmacSha1: srtp_crypto_policy_set_rtp_default(&policy.rtp)
        case .aeadAes128Gcm: srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
        case .aeadAes256Gcm: srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
        }
        policy.rtcp = policy.rtp
        policy.ssrc.type = ssrc_any_outbound
        policy.window_size = 128
        withUnsafeMutableBytes(of: &master) { bytes in
            policy.key = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            _ = srtp_create(sessions + index, &policy)
        }
    }
}
