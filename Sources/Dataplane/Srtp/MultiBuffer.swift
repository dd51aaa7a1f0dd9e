import CAesGcm
import CIPSecMB
import Wire

/// Intel ipsec-mb's manager with the scratch memory that sealing and opening need, and our own AES-GCM where that is
/// faster. `SRTPEngine` owns it.
struct MultiBuffer: BitwiseCopyable {
    /// Which code of ipsec-mb runs; tests choose, production takes the best.
    enum Instructions: CaseIterable, Sendable {
        case best, sse, avx, avx2, avx512

        /// The features of the CPU without which this code does not begin.
        fileprivate var needed: UInt64 {
            switch self {
            case .best, .sse: needletail_imb_needs_sse
            case .avx: needletail_imb_needs_avx
            case .avx2: needletail_imb_needs_avx2
            case .avx512: needletail_imb_needs_avx512
            }
        }
    }

    /// Whose AES-GCM runs; tests choose, production takes the fastest.
    enum Gcm: CaseIterable, Sendable {
        case fastest, ipsecMB, aesNi, vaes
    }

    /// AES-CM packets processed together; ipsec-mb's limit for a burst is 128.
    static let burst = 64

    let manager: UnsafeMutableRawPointer
    /// Nil where ipsec-mb does AES-GCM.
    let ownGcm: AesGcm?
    /// A manager that hashes with the SHA extensions, for the rest of a burst that would leave most lanes of the wide
    /// one idle; nil without them.
    let narrow: UnsafeMutableRawPointer?
    /// SHA-1 lanes of `manager`.
    let lanes: Int
    let jobs: UnsafeMutablePointer<IMB_JOB>
    let slots: UnsafeMutablePointer<CounterModeSlot>
    /// GCM's nonce, tag and additional data, a cache line each, and then its context.
    let scratch: UnsafeMutableRawPointer

    /// Nil when this CPU lacks the instructions.
    init?(_ instructions: Instructions = .best, gcm: Gcm = .fastest) {
        guard let manager = Self.makeManager(instructions) else { return nil }
        let arch = needletail_imb_arch(manager)
        switch gcm {
        // With AVX-512, ipsec-mb has VAES itself, and in wider registers.
        case .fastest: ownGcm = arch == IMB_ARCH_AVX512.rawValue ? nil : AesGcm.best
        case .ipsecMB: ownGcm = nil
        case .aesNi: ownGcm = AesGcm(needletail_gcm_aesni)
        case .vaes: ownGcm = AesGcm(needletail_gcm_vaes)
        }
        if ownGcm == nil && (gcm == .aesNi || gcm == .vaes) {
            needletail_imb_free(manager)
            return nil
        }
        self.manager = manager
        lanes = arch == IMB_ARCH_AVX512.rawValue ? 16 : arch == IMB_ARCH_AVX2.rawValue ? 8 : 4
        let hasShaExtensions = needletail_imb_features(manager) & UInt64(IMB_FEATURE_SHANI) != 0
        narrow = hasShaExtensions && lanes > 4 ? Self.makeManager(.sse) : nil
        jobs = .allocate(capacity: Self.burst)
        slots = UnsafeMutableRawPointer.allocate(
            byteCount: Self.burst * MemoryLayout<CounterModeSlot>.stride, alignment: 64
        ).bindMemory(to: CounterModeSlot.self, capacity: Self.burst)
        scratch = .allocate(byteCount: Scratch.byteCount, alignment: 64)
        scratch.initializeMemory(as: UInt8.self, repeating: 0, count: Scratch.byteCount)
        slots.initialize(repeating: CounterModeSlot(), count: Self.burst)
        jobs.initialize(repeating: IMB_JOB(), count: Self.burst)
        for index in 0..<Self.burst { prepareJob(index) }
    }

    func deallocate() {
        needletail_imb_free(manager)
        if let narrow { needletail_imb_free(narrow) }
        jobs.deallocate()
        UnsafeMutableRawPointer(slots).deallocate()
        scratch.deallocate()
    }

    private static func makeManager(_ instructions: Instructions) -> UnsafeMutableRawPointer? {
        guard let manager = needletail_imb_alloc() else { return nil }
        // Asked before, as to begin without them ends the process in ipsec-mb 1.3.
        let needed = instructions.needed
        guard needletail_imb_features(manager) & needed == needed else {
            needletail_imb_free(manager)
            return nil
        }
        switch instructions {
        case .best: needletail_imb_init_auto(manager)
        case .sse: needletail_imb_init_sse(manager)
        case .avx: needletail_imb_init_avx(manager)
        case .avx2: needletail_imb_init_avx2(manager)
        case .avx512: needletail_imb_init_avx512(manager)
        }
        let hasAes = needletail_imb_features(manager) & UInt64(IMB_FEATURE_AESNI) != 0
        if needletail_imb_errno(manager) == 0 && hasAes { return manager }
        needletail_imb_free(manager)
        return nil
    }

    var description: String {
        let names: [(UInt64, String)] = [
            (UInt64(IMB_FEATURE_AESNI), "AES-NI"), (UInt64(IMB_FEATURE_PCLMULQDQ), "PCLMULQDQ"),
            (UInt64(IMB_FEATURE_VAES), "VAES"), (UInt64(IMB_FEATURE_VPCLMULQDQ), "VPCLMULQDQ"),
            (UInt64(IMB_FEATURE_SHANI), "SHA-NI"), (UInt64(IMB_FEATURE_GFNI), "GFNI"),
        ]
        let features = needletail_imb_features(manager)
        let present = names.filter { features & $0.0 != 0 }.map(\.1)
        let arch =
            switch needletail_imb_arch(manager) {
            case IMB_ARCH_AVX512.rawValue: "AVX-512"
            case IMB_ARCH_AVX2.rawValue: "AVX2"
            case IMB_ARCH_AVX.rawValue: "AVX"
            default: "SSE"
            }
        let version = String(cString: imb_get_version_str())
        let gcm = ownGcm.map { "; AES-GCM of our own by \($0.description)" } ?? ""
        return "ipsec-mb \(version), \(arch) (\(present.joined(separator: ", ")))\(gcm)"
    }
}

extension MultiBuffer {
    /// Offsets of scratch memory.
    enum Scratch {
        static let nonce = 0
        static let tag = 64
        static let additionalData = 128
        static let context = 192
        static let byteCount = 192 + Int(needletail_imb_gcm_context_size)
    }

    /// Expands session keys into a transform's key block.
    func expand(_ keys: SRTPSessionKeys, profile: SRTPProfile, into block: UnsafeMutableRawPointer) {
        var keys = keys
        withUnsafeBytes(of: &keys.cipherKey) { key in
            if let ownGcm, profile != .aes128CmHmacSha1 {
                ownGcm.expand(key.baseAddress, length: profile.keyLength, into: block)
                return
            }
            switch profile {
            case .aeadAes128Gcm: needletail_imb_gcm128_precompute(manager, key.baseAddress, block)
            case .aeadAes256Gcm: needletail_imb_gcm256_precompute(manager, key.baseAddress, block)
            case .aes128CmHmacSha1:
                // Counter mode does not need the decryption schedule: it goes behind what is used.
                needletail_imb_aes128_expand(
                    manager, key.baseAddress, block, block + SRTPTransform.CounterModeLayout.byteCount)
            }
        }
        if profile == .aes128CmHmacSha1 {
            hashPad(keys.authenticationKey, 0x36, into: block + SRTPTransform.CounterModeLayout.innerState)
            hashPad(keys.authenticationKey, 0x5C, into: block + SRTPTransform.CounterModeLayout.outerState)
        }
        keys.erase()
    }

    /// What packets of `profile` read of a key block, bytes.
    func keyByteCount(_ profile: SRTPProfile) -> Int {
        if profile == .aes128CmHmacSha1 { return SRTPTransform.CounterModeLayout.byteCount }
        return ownGcm == nil ? SRTPTransform.Layout.keysByteCount : AesGcm.keyByteCount(profile)
    }

    /// The SHA-1 state after the key xor `pad` (RFC 2104 section 4).
    private func hashPad(_ key: InlineArray<20, UInt8>, _ pad: UInt8, into state: UnsafeMutableRawPointer) {
        var block = InlineArray<64, UInt8>(repeating: pad)
        for index in 0..<20 { block[index] ^= key[index] }
        withUnsafeBytes(of: &block) { needletail_imb_sha1_one_block(manager, $0.baseAddress, state) }
    }

    func seal(_ packets: UnsafeMutablePointer<SealJob>, _ count: Int) {
        var staged = 0
        if count > 1 { packets[1].transform.prefetchRTPKeys() }
        for index in 0..<count {
            if index &+ 4 < count { packets[index &+ 4].transform.prefetch() }
            if index &+ 2 < count { packets[index &+ 2].transform.prefetchRTPKeys() }
            let packet = packets + index
            switch packet.pointee.transform.profile {
            case .aeadAes128Gcm: sealGcm(packet.pointee, isAes256: false)
            case .aeadAes256Gcm: sealGcm(packet.pointee, isAes256: true)
            case .aes128CmHmacSha1:
                stageSeal(packet.pointee, slot: staged)
                staged &+= 1
                if staged == Self.burst {
                    finishSeal(staged)
                    staged = 0
                }
            }
        }
        if staged > 0 { finishSeal(staged) }
    }

    func open(_ packets: UnsafeMutablePointer<OpenJob>, _ count: Int) {
        var staged = 0
        if count > 1 { packets[1].transform.prefetchRTPKeys() }
        for index in 0..<count {
            if index &+ 4 < count { packets[index &+ 4].transform.prefetch() }
            if index &+ 2 < count { packets[index &+ 2].transform.prefetchRTPKeys() }
            let packet = packets + index
            packet.pointee.ok = false
            packet.pointee.plainLength = 0
            let plainLength = packet.pointee.length &- packet.pointee.transform.tagLength
            if plainLength < packet.pointee.headerLength { continue }
            switch packet.pointee.transform.profile {
            case .aeadAes128Gcm: openGcm(packet, plainLength, isAes256: false)
            case .aeadAes256Gcm: openGcm(packet, plainLength, isAes256: true)
            case .aes128CmHmacSha1:
                stageOpen(packet, plainLength, slot: staged)
                staged &+= 1
                if staged == Self.burst {
                    finishOpen(staged)
                    staged = 0
                }
            }
        }
        if staged > 0 { finishOpen(staged) }
    }

    func sealRTCP(_ rtcp: SRTCPPacket) {
        if rtcp.transform.profile == .aes128CmHmacSha1 {
            sealRTCPCounterMode(rtcp)
        } else {
            sealRTCPGcm(rtcp)
        }
    }

    /// Whether the packet is authentic.
    func openRTCP(_ rtcp: SRTCPPacket) -> Bool {
        rtcp.transform.profile == .aes128CmHmacSha1 ? openRTCPCounterMode(rtcp) : openRTCPGcm(rtcp)
    }
}
