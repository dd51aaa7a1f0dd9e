import CSRTP
import Wire

/// SRTP and SRTCP with libsrtp2's ciphers and HMAC, a packet at a time: the reference that the other engines are
/// compared with.
///
/// Not with libsrtp2's sessions: those keep roll-over counters and replay windows of their own, and the worker has them
/// already. What the library refuses to seal is overwritten with zeros, so that plaintext never leaves.
enum Libsrtp {
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
        let place = UnsafeMutableRawPointer(rtcp.packet + rtcp.plainLength)
        let keys = LibsrtpKeys(block: rtcp.transform.rtcpKeys)
        var sealed: Bool
        if rtcp.transform.profile == .aes128CmHmacSha1 {
            sealed = keys.countFrom(rtcp.ssrc, UInt64(rtcp.index)) && keys.crypt(rtcp.payload, rtcp.payloadLength)
            place.storeBytes(of: rtcp.trailer, as: UInt32.self)
            sealed = sealed && keys.authenticate(rtcp.packet, rtcp.plainLength, rtcp.trailer, tag: place + 4)
        } else {
            sealed =
                keys.begin(rtcp, srtp_direction_encrypt)
                && keys.encrypt(rtcp.payload, rtcp.payloadLength)
            (place + 16).storeBytes(of: rtcp.trailer, as: UInt32.self)
        }
        if !sealed { rtcp.payload.update(repeating: 0, count: rtcp.payloadLength &+ rtcp.transform.rtcpTrailerLength) }
    }

    /// Whether the packet is authentic.
    static func openRTCP(_ rtcp: SRTCPPacket) -> Bool {
        let keys = LibsrtpKeys(block: rtcp.transform.rtcpKeys)
        if rtcp.transform.profile == .aes128CmHmacSha1 {
            return keys.verify(rtcp.packet, rtcp.plainLength, rtcp.trailer, tag: rtcp.packet + rtcp.plainLength + 4)
                && keys.countFrom(rtcp.ssrc, UInt64(rtcp.index)) && keys.crypt(rtcp.payload, rtcp.payloadLength)
        }
        return keys.begin(rtcp, srtp_direction_decrypt) && keys.decrypt(rtcp.payload, rtcp.payloadLength)
    }

    private static func seal(_ job: SealJob) -> Bool {
        let keys = LibsrtpKeys(block: job.transform.rtpKeys)
        let payload = job.destination + job.headerLength
        if UnsafePointer(payload) != job.source { payload.update(from: job.source, count: job.payloadLength) }
        UnsafeMutableRawPointer(payload).xorFirst(job.patch)
        if job.transform.profile == .aes128CmHmacSha1 {
            let length = job.headerLength &+ job.payloadLength
            let rollover = UInt32(truncatingIfNeeded: job.index &>> 16).bigEndian
            return keys.countFrom(job.ssrc, job.index) && keys.crypt(payload, job.payloadLength)
                && keys.authenticate(
                    job.destination, length, rollover, tag: UnsafeMutableRawPointer(job.destination + length))
        }
        return keys.begin(job.transform.rtpSalt, job.ssrc, job.index, srtp_direction_encrypt)
            && keys.addData(job.destination, job.headerLength) && keys.encrypt(payload, job.payloadLength)
    }

    private static func open(_ job: OpenJob, _ plainLength: Int) -> Bool {
        let keys = LibsrtpKeys(block: job.transform.rtpKeys)
        let payload = job.packet + job.headerLength
        let length = plainLength &- job.headerLength
        if job.transform.profile == .aes128CmHmacSha1 {
            let rollover = UInt32(truncatingIfNeeded: job.index &>> 16).bigEndian
            return keys.verify(job.packet, plainLength, rollover, tag: job.packet + plainLength)
                && keys.countFrom(job.ssrc, job.index) && keys.crypt(payload, length)
        }
        return keys.begin(job.transform.rtpSalt, job.ssrc, job.index, srtp_direction_decrypt)
            && keys.addData(job.packet, job.headerLength) && keys.decrypt(payload, length)
    }
}

/// Steps of one packet; each returns whether libsrtp2 succeeded.
extension LibsrtpKeys {
    /// AES-CM's counter; libsrtp2 adds the salt itself.
    fileprivate func countFrom(_ ssrc: UInt32, _ index: UInt64) -> Bool {
        var counter = (UInt64(ssrc).bigEndian, (index &<< 16).bigEndian)
        return withUnsafeMutableBytes(of: &counter) { bytes in
            srtp_cipher_set_iv(cipher, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, encryptDirection)
                == srtp_err_status_ok
        }
    }

    private var encryptDirection: Int32 { Int32(srtp_direction_encrypt.rawValue) }

    /// AES-CM, either way.
    fileprivate func crypt(_ payload: UnsafeMutablePointer<UInt8>, _ length: Int) -> Bool {
        if length == 0 { return true }
        var count = UInt32(truncatingIfNeeded: length)
        return srtp_cipher_encrypt(cipher, payload, &count) == srtp_err_status_ok
    }

    /// HMAC-SHA1 over the packet and the word that follows it, cut to 10 bytes.
    fileprivate func authenticate(
        _ packet: UnsafePointer<UInt8>, _ length: Int, _ word: UInt32, tag: UnsafeMutableRawPointer
    ) -> Bool {
        guard let authentication else { return false }
        var word = word
        return needletail_srtp_auth_start(authentication) == srtp_err_status_ok
            && needletail_srtp_auth_update(authentication, packet, Int32(truncatingIfNeeded: length))
                == srtp_err_status_ok
            && withUnsafeBytes(of: &word) { bytes in
                needletail_srtp_auth_compute(
                    authentication, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, 4,
                    tag.assumingMemoryBound(to: UInt8.self)) == srtp_err_status_ok
            }
    }

    /// Compares in constant time.
    fileprivate func verify(
        _ packet: UnsafePointer<UInt8>, _ length: Int, _ word: UInt32, tag received: UnsafePointer<UInt8>
    ) -> Bool {
        var tag: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &tag) { bytes in
            guard let base = bytes.baseAddress, authenticate(packet, length, word, tag: base) else { return false }
            var difference: UInt8 = 0
            for index in 0..<10 { difference |= bytes[index] ^ received[index] }
            return difference == 0
        }
    }

    /// Sets AES-GCM's nonce.
    fileprivate func begin(
        _ salt: UnsafeRawPointer, _ ssrc: UInt32, _ index: UInt64, _ direction: srtp_cipher_direction_t
    ) -> Bool {
        var nonce: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &nonce) { bytes in
            guard let base = bytes.baseAddress else { return false }
            SRTPNonce.writeGcm(to: base, salt: salt, ssrc: ssrc, index: index)
            return srtp_cipher_set_iv(
                cipher, base.assumingMemoryBound(to: UInt8.self), Int32(direction.rawValue)) == srtp_err_status_ok
        }
    }

    /// Nonce and additional data of an RTCP packet (RFC 7714 section 9.2).
    fileprivate func begin(_ rtcp: SRTCPPacket, _ direction: srtp_cipher_direction_t) -> Bool {
        var trailer = rtcp.trailer
        return begin(rtcp.transform.rtcpSalt, rtcp.ssrc, UInt64(rtcp.index), direction)
            && addData(rtcp.packet, SRTCPPacket.clearLength)
            && withUnsafeBytes(of: &trailer) { bytes in
                guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return false }
                return addData(base, 4)
            }
    }

    fileprivate func addData(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        srtp_cipher_set_aad(cipher, bytes, UInt32(truncatingIfNeeded: length)) == srtp_err_status_ok
    }

    /// AES-GCM, the tag behind the ciphertext.
    fileprivate func encrypt(_ payload: UnsafeMutablePointer<UInt8>, _ length: Int) -> Bool {
        var count = UInt32(truncatingIfNeeded: length)
        guard srtp_cipher_encrypt(cipher, payload, &count) == srtp_err_status_ok else { return false }
        var tagLength: UInt32 = 16
        return srtp_cipher_get_tag(cipher, payload + length, &tagLength) == srtp_err_status_ok
    }

    /// AES-GCM; verifies the tag behind the ciphertext.
    fileprivate func decrypt(_ payload: UnsafeMutablePointer<UInt8>, _ length: Int) -> Bool {
        var count = UInt32(truncatingIfNeeded: length &+ 16)
        return srtp_cipher_decrypt(cipher, payload, &count) == srtp_err_status_ok
    }
}
