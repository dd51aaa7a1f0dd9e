import CIPSecMB

/// AES-GCM (RFC 7714), a packet at a time, as both ipsec-mb and our own code work on many blocks of one packet in parallel.
extension MultiBuffer {
    @inline(__always)
    func sealGcm(_ job: SealJob, isAes256: Bool) {
        if let ownGcm {
            ownGcm.seal(job)
            return
        }
        let nonce = scratch + Scratch.nonce
        SRTPNonce.writeGcm(to: nonce, salt: job.transform.rtpSalt, ssrc: job.ssrc, index: job.index)
        let payload = job.destination + job.headerLength
        if job.patch == 0 {
            encrypt(job, isAes256: isAes256, from: job.source, to: payload)
        } else if job.mayPatchSource {
            let source = UnsafeMutableRawPointer(mutating: job.source)
            source.xorFirst(job.patch)
            encrypt(job, isAes256: isAes256, from: job.source, to: payload)
            source.xorFirst(job.patch)
        } else {
            payload.update(from: job.source, count: job.payloadLength)
            UnsafeMutableRawPointer(payload).xorFirst(job.patch)
            encrypt(job, isAes256: isAes256, from: payload, to: payload)
        }
    }

    @inline(__always)
    private func encrypt(
        _ job: SealJob, isAes256: Bool, from source: UnsafePointer<UInt8>, to payload: UnsafeMutablePointer<UInt8>
    ) {
        encrypt(
            isAes256: isAes256, keys: job.transform.rtpKeys, from: source, to: payload, length: job.payloadLength,
            additionalData: job.destination, additionalLength: job.headerLength)
    }

    @inline(__always)
    func openGcm(_ job: UnsafeMutablePointer<OpenJob>, _ plainLength: Int, isAes256: Bool) {
        let transform = job.pointee.transform
        let packet = job.pointee.packet
        let headerLength = job.pointee.headerLength
        let nonce = scratch + Scratch.nonce
        SRTPNonce.writeGcm(to: nonce, salt: transform.rtpSalt, ssrc: job.pointee.ssrc, index: job.pointee.index)
        let isAuthentic = decrypt(
            isAes256: isAes256, keys: transform.rtpKeys, payload: packet + headerLength,
            length: plainLength &- headerLength, additionalData: packet, additionalLength: headerLength)
        if isAuthentic {
            job.pointee.ok = true
            job.pointee.plainLength = plainLength
        }
    }

    func sealRTCPGcm(_ rtcp: SRTCPPacket) {
        prepareRTCP(rtcp)
        encrypt(
            isAes256: rtcp.transform.profile == .aeadAes256Gcm, keys: rtcp.transform.rtcpKeys, from: rtcp.payload,
            to: rtcp.payload, length: rtcp.payloadLength, additionalData: additionalData,
            additionalLength: SRTCPPacket.clearLength &+ 4)
        UnsafeMutableRawPointer(rtcp.packet + rtcp.plainLength + 16).storeBytes(of: rtcp.trailer, as: UInt32.self)
    }

    func openRTCPGcm(_ rtcp: SRTCPPacket) -> Bool {
        prepareRTCP(rtcp)
        return decrypt(
            isAes256: rtcp.transform.profile == .aeadAes256Gcm, keys: rtcp.transform.rtcpKeys, payload: rtcp.payload,
            length: rtcp.payloadLength, additionalData: additionalData,
            additionalLength: SRTCPPacket.clearLength &+ 4)
    }

    private var additionalData: UnsafePointer<UInt8> {
        UnsafePointer((scratch + Scratch.additionalData).assumingMemoryBound(to: UInt8.self))
    }

    /// Nonce and additional data: the clear header, then E and index (RFC 7714 section 9.2).
    private func prepareRTCP(_ rtcp: SRTCPPacket) {
        SRTPNonce.writeGcm(
            to: scratch + Scratch.nonce, salt: rtcp.transform.rtcpSalt, ssrc: rtcp.ssrc, index: UInt64(rtcp.index))
        let data = scratch + Scratch.additionalData
        data.copyMemory(from: rtcp.packet, byteCount: SRTCPPacket.clearLength)
        data.storeBytes(of: rtcp.trailer, toByteOffset: SRTCPPacket.clearLength, as: UInt32.self)
    }

    /// Writes the tag behind the ciphertext.
    @inline(__always)
    private func encrypt(
        isAes256: Bool, keys: UnsafeRawPointer, from source: UnsafePointer<UInt8>,
        to destination: UnsafeMutablePointer<UInt8>, length: Int, additionalData: UnsafePointer<UInt8>,
        additionalLength: Int
    ) {
        if let ownGcm {
            ownGcm.seal(
                keys: keys, from: source, to: destination, length: length, additionalData: additionalData,
                additionalLength: additionalLength, nonce: nonceInScratch, patch: 0)
            return
        }
        let nonce = (scratch + Scratch.nonce).assumingMemoryBound(to: UInt8.self)
        let (count, additionalCount) = (
            UInt64(truncatingIfNeeded: length), UInt64(truncatingIfNeeded: additionalLength)
        )
        // Called by name, so that the accessors are inlined.
        if isAes256 {
            needletail_imb_gcm256_encrypt(
                manager, keys, scratch + Scratch.context, destination, source, count, nonce, additionalData,
                additionalCount, destination + length)
        } else {
            needletail_imb_gcm128_encrypt(
                manager, keys, scratch + Scratch.context, destination, source, count, nonce, additionalData,
                additionalCount, destination + length)
        }
    }

    /// In place; whether the tag behind the ciphertext is right.
    @inline(__always)
    private func decrypt(
        isAes256: Bool, keys: UnsafeRawPointer, payload: UnsafeMutablePointer<UInt8>, length: Int,
        additionalData: UnsafePointer<UInt8>, additionalLength: Int
    ) -> Bool {
        if let ownGcm {
            return ownGcm.open(
                keys: keys, payload: payload, length: length, additionalData: additionalData,
                additionalLength: additionalLength, nonce: nonceInScratch)
        }
        let nonce = (scratch + Scratch.nonce).assumingMemoryBound(to: UInt8.self)
        let tag = (scratch + Scratch.tag).assumingMemoryBound(to: UInt8.self)
        let (count, additionalCount) = (
            UInt64(truncatingIfNeeded: length), UInt64(truncatingIfNeeded: additionalLength)
        )
        if isAes256 {
            needletail_imb_gcm256_decrypt(
                manager, keys, scratch + Scratch.context, payload, payload, count, nonce, additionalData,
                additionalCount, tag)
        } else {
            needletail_imb_gcm128_decrypt(
                manager, keys, scratch + Scratch.context, payload, payload, count, nonce, additionalData,
                additionalCount, tag)
        }
        return tagMatches(payload + length)
    }

    @inline(__always)
    private var nonceInScratch: (first: UInt64, last: UInt32) {
        let nonce = scratch + Scratch.nonce
        return (nonce.load(as: UInt64.self), nonce.load(fromByteOffset: 8, as: UInt32.self))
    }

    /// In constant time.
    @inline(__always)
    private func tagMatches(_ received: UnsafePointer<UInt8>) -> Bool {
        let (tag, received) = (scratch + Scratch.tag, UnsafeRawPointer(received))
        let low = tag.load(as: UInt64.self) ^ received.loadUnaligned(as: UInt64.self)
        let high =
            tag.load(fromByteOffset: 8, as: UInt64.self) ^ received.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return low | high == 0
    }
}
