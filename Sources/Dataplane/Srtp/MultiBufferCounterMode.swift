import CIPSecMB

/// Scratch of one packet in a burst of AES-CM packets.
struct CounterModeSlot: BitwiseCopyable {
    /// 16 bytes, what AES-CM counts from.
    var counter: (UInt64, UInt64) = (0, 0)
    /// Computed by ipsec-mb, which writes 12 bytes of HMAC-SHA1; 10 count.
    var tag: (UInt64, UInt64) = (0, 0)
    /// As received: the roll-over counter takes its place while the packet is hashed.
    var received: (UInt64, UInt16) = (0, 0)
    /// The packet to open; nil when sealing.
    var job: UnsafeMutablePointer<OpenJob>?
    /// Where the tag goes; when opening, where it stands.
    var tagPlace: UnsafeMutableRawPointer?
    /// Where the ciphertext begins, and what changes in it with the plaintext (`SealJob.patch`).
    var payload: UnsafeMutableRawPointer?
    var patch: UInt64 = 0
}

/// AES128_CM_HMAC_SHA1_80 (RFC 3711), a burst at a time: ciphers one packet after the other (which keeps the AES units
/// busy by itself), and hashes many packets in the lanes of vector registers.
///
/// A job hashes `src + hash offset` whatever it ciphers, so sealing out of place gives the distance from source to
/// destination as the offset; it wraps like a pointer difference (DPDK's ipsec_mb driver does the same).
extension MultiBuffer {
    /// What no packet changes.
    func prepareJob(_ index: Int) {
        let job = jobs + index
        let slot = UnsafeMutableRawPointer(slots + index)
        let offset = MemoryLayout<CounterModeSlot>.offset(of: \.tag)!
        job.pointee.key_len_in_bytes = 16
        job.pointee.iv = UnsafePointer(slot.assumingMemoryBound(to: UInt8.self))
        job.pointee.iv_len_in_bytes = 16
        job.pointee.auth_tag_output = (slot + offset).assumingMemoryBound(to: UInt8.self)
        job.pointee.auth_tag_output_len_in_bytes = 12
        job.pointee.cipher_mode = IMB_CIPHER_CNTR
        job.pointee.cipher_direction = IMB_DIR_ENCRYPT
        job.pointee.hash_alg = IMB_AUTH_HMAC_SHA_1
        job.pointee.chain_order = IMB_ORDER_CIPHER_HASH
    }

    @inline(__always)
    func stageSeal(_ packet: SealJob, slot index: Int) {
        let length = packet.headerLength &+ packet.payloadLength
        stage(
            index, salt: packet.transform.rtpSalt, keys: packet.transform.rtpKeys, ssrc: packet.ssrc,
            index48: packet.index, source: packet.source, destination: packet.destination + packet.headerLength,
            payloadLength: packet.payloadLength, packet: packet.destination, authenticated: length &+ 4)
        let place = UnsafeMutableRawPointer(packet.destination + length)
        writeRollover(packet.index, at: place)
        slots[index].tagPlace = place
        slots[index].payload = UnsafeMutableRawPointer(packet.destination + packet.headerLength)
        slots[index].patch = packet.patch
    }

    func finishSeal(_ count: Int) {
        _ = needletail_imb_aes128_ctr_burst(manager, jobs, UInt32(truncatingIfNeeded: count))
        // Counter mode xors a key stream: a change of the plaintext is the same change of the ciphertext.
        for index in 0..<count where slots[index].patch != 0 { slots[index].payload?.xorFirst(slots[index].patch) }
        hash(count)
        for index in 0..<count { writeTag(index) }
    }

    @inline(__always)
    func stageOpen(_ job: UnsafeMutablePointer<OpenJob>, _ plainLength: Int, slot index: Int) {
        let transform = job.pointee.transform
        let packet = job.pointee.packet
        let payload = packet + job.pointee.headerLength
        stage(
            index, salt: transform.rtpSalt, keys: transform.rtpKeys, ssrc: job.pointee.ssrc,
            index48: job.pointee.index, source: payload, destination: payload,
            payloadLength: plainLength &- job.pointee.headerLength, packet: packet, authenticated: plainLength &+ 4)
        slots[index].job = job
        takeTag(index, at: UnsafeMutableRawPointer(packet + plainLength))
        writeRollover(job.pointee.index, at: UnsafeMutableRawPointer(packet + plainLength))
    }

    func finishOpen(_ count: Int) {
        hash(count)
        var authentic = 0
        for index in 0..<count where tagMatches(index) {
            guard let job = slots[index].job else { continue }
            job.pointee.ok = true
            job.pointee.plainLength = job.pointee.length &- 10
            authentic &+= 1
        }
        if authentic == count {
            _ = needletail_imb_aes128_ctr_burst(manager, jobs, UInt32(truncatingIfNeeded: count))
            return
        }
        for index in 0..<count where slots[index].job?.pointee.ok == true {
            _ = needletail_imb_aes128_ctr_burst(manager, jobs + index, 1)
        }
    }

    func sealRTCPCounterMode(_ rtcp: SRTCPPacket) {
        stage(rtcp)
        let place = UnsafeMutableRawPointer(rtcp.packet + rtcp.plainLength)
        place.storeBytes(of: rtcp.trailer, as: UInt32.self)
        slots[0].tagPlace = place + 4
        slots[0].patch = 0
        finishSeal(1)
    }

    func openRTCPCounterMode(_ rtcp: SRTCPPacket) -> Bool {
        stage(rtcp)
        takeTag(0, at: UnsafeMutableRawPointer(rtcp.packet + rtcp.plainLength + 4))
        hash(1)
        guard tagMatches(0) else { return false }
        _ = needletail_imb_aes128_ctr_burst(manager, jobs, 1)
        return true
    }

    /// The index takes the place of an RTP packet's, and E and index that of the roll-over counter (RFC 3711
    /// section 3.4).
    private func stage(_ rtcp: SRTCPPacket) {
        stage(
            0, salt: rtcp.transform.rtcpSalt, keys: rtcp.transform.rtcpKeys, ssrc: rtcp.ssrc,
            index48: UInt64(rtcp.index), source: rtcp.payload, destination: rtcp.payload,
            payloadLength: rtcp.payloadLength, packet: rtcp.packet, authenticated: rtcp.plainLength &+ 4)
    }

    @inline(__always)
    private func stage(
        _ index: Int, salt: UnsafeRawPointer, keys: UnsafeMutableRawPointer, ssrc: UInt32, index48: UInt64,
        source: UnsafePointer<UInt8>, destination: UnsafeMutablePointer<UInt8>, payloadLength: Int,
        packet: UnsafeMutablePointer<UInt8>, authenticated: Int
    ) {
        SRTPNonce.writeCounterMode(to: slots + index, salt: salt, ssrc: ssrc, index: index48)
        let job = jobs + index
        job.pointee.enc_keys = UnsafeRawPointer(keys)
        job.pointee.src = source
        job.pointee.dst = destination
        job.pointee.msg_len_to_cipher_in_bytes = UInt64(truncatingIfNeeded: payloadLength)
        job.pointee.hash_start_src_offset_in_bytes = UInt64(bitPattern: Int64(UnsafePointer(packet) - source))
        job.pointee.msg_len_to_hash_in_bytes = UInt64(truncatingIfNeeded: authenticated)
        let states = keys.assumingMemoryBound(to: UInt8.self)
        job.pointee.u.HMAC._hashed_auth_key_xor_ipad = UnsafePointer(
            states + SRTPTransform.CounterModeLayout.innerState)
        job.pointee.u.HMAC._hashed_auth_key_xor_opad = UnsafePointer(
            states + SRTPTransform.CounterModeLayout.outerState)
    }

    /// Full lanes with the wide manager. It takes as long for one packet as for all lanes, so a small rest is quicker
    /// with the SHA extensions, whose throughput is about half of 16 lanes'.
    private func hash(_ count: Int) {
        guard let narrow else {
            _ = needletail_imb_hmac_sha1_burst(manager, jobs, UInt32(truncatingIfNeeded: count))
            return
        }
        let rest = count & (lanes &- 1)
        let wide = rest < 8 ? count &- rest : count
        if wide > 0 { _ = needletail_imb_hmac_sha1_burst(manager, jobs, UInt32(truncatingIfNeeded: wide)) }
        if wide < count {
            _ = needletail_imb_hmac_sha1_burst(narrow, jobs + wide, UInt32(truncatingIfNeeded: count &- wide))
        }
    }

    @inline(__always)
    private func writeRollover(_ index: UInt64, at place: UnsafeMutableRawPointer) {
        place.storeBytes(of: UInt32(truncatingIfNeeded: index &>> 16).bigEndian, as: UInt32.self)
    }

    @inline(__always)
    private func writeTag(_ index: Int) {
        guard let place = slots[index].tagPlace else { return }
        place.storeBytes(of: slots[index].tag.0, as: UInt64.self)
        place.storeBytes(of: UInt16(truncatingIfNeeded: slots[index].tag.1), toByteOffset: 8, as: UInt16.self)
    }

    @inline(__always)
    private func takeTag(_ index: Int, at place: UnsafeMutableRawPointer) {
        slots[index].received.0 = place.loadUnaligned(as: UInt64.self)
        slots[index].received.1 = place.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    }

    /// In constant time.
    @inline(__always)
    private func tagMatches(_ index: Int) -> Bool {
        let slot = slots + index
        let high = UInt16(truncatingIfNeeded: slot.pointee.tag.1) ^ slot.pointee.received.1
        return (slot.pointee.tag.0 ^ slot.pointee.received.0) | UInt64(high) == 0
    }
}
