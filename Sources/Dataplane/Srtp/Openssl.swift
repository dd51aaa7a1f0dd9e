import COpenSSL
import Wire

/// SRTP and SRTCP with OpenSSL, a packet at a time, for a CPU where ipsec-mb cannot work.
///
/// What the library refuses to seal is overwritten with zeros, so that plaintext never leaves.
enum Openssl {
    static func seal(_ jobs: UnsafeMutablePointer<SealJob>, _ count: Int) {
        for index in 0..<count where !seal(jobs[index]) {
            let job = jobs[index]
            (job.destination + job.headerLength).update(
                repeating: 0, count: job.payloadLength &+ job.transform.tagLength)
        }
    }

    static func open(_ jobs: UnsafeMutablePointer<OpenJob>, _ count: Int) {
        for index in 0..<count {
            let job = jobs + index
            let plainLength = job.pointee.length &- job.pointee.transform.tagLength
            job.pointee.ok = plainLength >= job.pointee.headerLength && open(job.pointee, plainLength)
            job.pointee.plainLength = job.pointee.ok ? plainLength : 0
        }
    }

    static func sealRTCP(_ rtcp: SRTCPPacket) {
        let keys = OpensslKeys(block: rtcp.transform.rtcpKeys)
        let tag = rtcp.packet + rtcp.plainLength
        var isSealed = begin(keys, rtcp, isSealing: true)
        isSealed = isSealed && keys.crypt(rtcp.payload, to: rtcp.payload, rtcp.payloadLength)
        if rtcp.transform.profile == .aes128CmHmacSha1 {
            UnsafeMutableRawPointer(tag).storeBytes(of: rtcp.trailer, as: UInt32.self)
            writeTag(keys.authenticate(rtcp.packet, rtcp.plainLength, rtcp.trailer), to: tag + 4)
        } else {
            isSealed = isSealed && keys.writeTag(tag)
            UnsafeMutableRawPointer(tag + 16).storeBytes(of: rtcp.trailer, as: UInt32.self)
        }
        if !isSealed {
            rtcp.payload.update(repeating: 0, count: rtcp.payloadLength &+ rtcp.transform.rtcpTrailerLength)
        }
    }

    /// Whether the packet is authentic.
    static func openRTCP(_ rtcp: SRTCPPacket) -> Bool {
        let keys = OpensslKeys(block: rtcp.transform.rtcpKeys)
        let tag = rtcp.packet + rtcp.plainLength
        let isCounterMode = rtcp.transform.profile == .aes128CmHmacSha1
        if isCounterMode {
            let expected = keys.authenticate(rtcp.packet, rtcp.plainLength, rtcp.trailer)
            guard tagMatches(expected, tag + 4) else { return false }
        }
        return begin(keys, rtcp, isSealing: false)
            && keys.crypt(rtcp.payload, to: rtcp.payload, rtcp.payloadLength)
            && (isCounterMode || keys.verifyTag(tag))
    }

    private static func seal(_ job: SealJob) -> Bool {
        let keys = OpensslKeys(block: job.transform.rtpKeys)
        let payload = job.destination + job.headerLength
        var source = job.source
        if job.patch != 0 {
            if UnsafePointer(payload) != source { payload.update(from: source, count: job.payloadLength) }
            UnsafeMutableRawPointer(payload).xorFirst(job.patch)
            source = UnsafePointer(payload)
        }
        let isCounterMode = job.transform.profile == .aes128CmHmacSha1
        guard begin(keys, job.transform, job.ssrc, job.index, isSealing: true),
            isCounterMode || keys.addData(job.destination, job.headerLength),
            keys.crypt(source, to: payload, job.payloadLength)
        else { return false }
        let tag = payload + job.payloadLength
        guard isCounterMode else { return keys.writeTag(tag) }
        let rollover = UInt32(truncatingIfNeeded: job.index &>> 16).bigEndian
        writeTag(keys.authenticate(job.destination, job.headerLength &+ job.payloadLength, rollover), to: tag)
        return true
    }

    private static func open(_ job: OpenJob, _ plainLength: Int) -> Bool {
        let keys = OpensslKeys(block: job.transform.rtpKeys)
        let payload = job.packet + job.headerLength
        let isCounterMode = job.transform.profile == .aes128CmHmacSha1
        if isCounterMode {
            let rollover = UInt32(truncatingIfNeeded: job.index &>> 16).bigEndian
            let expected = keys.authenticate(job.packet, plainLength, rollover)
            guard tagMatches(expected, job.packet + plainLength) else { return false }
        }
        return begin(keys, job.transform, job.ssrc, job.index, isSealing: false)
            && (isCounterMode || keys.addData(job.packet, job.headerLength))
            && keys.crypt(payload, to: payload, plainLength &- job.headerLength)
            && (isCounterMode || keys.verifyTag(job.packet + plainLength))
    }

    private static func begin(
        _ keys: OpensslKeys, _ transform: SRTPTransform, _ ssrc: UInt32, _ index: UInt64, isSealing: Bool
    ) -> Bool {
        var nonce: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &nonce) { bytes in
            guard let base = bytes.baseAddress else { return false }
            if transform.profile == .aes128CmHmacSha1 {
                SRTPNonce.writeCounterMode(to: base, salt: transform.rtpSalt, ssrc: ssrc, index: index)
            } else {
                SRTPNonce.writeGcm(to: base, salt: transform.rtpSalt, ssrc: ssrc, index: index)
            }
            return keys.begin(base, isSealing: isSealing)
        }
    }

    /// Nonce and, with AES-GCM, additional data of an RTCP packet (RFC 7714 section 9.2, RFC 3711 section 3.4).
    private static func begin(_ keys: OpensslKeys, _ rtcp: SRTCPPacket, isSealing: Bool) -> Bool {
        let isCounterMode = rtcp.transform.profile == .aes128CmHmacSha1
        var nonce: (UInt64, UInt64) = (0, 0)
        var trailer = rtcp.trailer
        let begun = withUnsafeMutableBytes(of: &nonce) { bytes in
            guard let base = bytes.baseAddress else { return false }
            let (salt, index) = (rtcp.transform.rtcpSalt, UInt64(rtcp.index))
            if isCounterMode {
                SRTPNonce.writeCounterMode(to: base, salt: salt, ssrc: rtcp.ssrc, index: index)
            } else {
                SRTPNonce.writeGcm(to: base, salt: salt, ssrc: rtcp.ssrc, index: index)
            }
            return keys.begin(base, isSealing: isSealing)
        }
        guard begun, !isCounterMode else { return begun }
        return keys.addData(rtcp.packet, SRTCPPacket.clearLength)
            && withUnsafeBytes(of: &trailer) { bytes in
                guard let base = bytes.baseAddress else { return false }
                return keys.addData(base, bytes.count)
            }
    }

    private static func writeTag(_ digest: InlineArray<20, UInt8>, to place: UnsafeMutablePointer<UInt8>) {
        for index in 0..<10 { place[index] = digest[index] }
    }

    /// In constant time.
    private static func tagMatches(_ digest: InlineArray<20, UInt8>, _ received: UnsafePointer<UInt8>) -> Bool {
        var difference: UInt8 = 0
        for index in 0..<10 { difference |= digest[index] ^ received[index] }
        return difference == 0
    }
}
