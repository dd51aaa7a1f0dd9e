import Mailbox
import Wire

/// What the participants send.
extension Meeting {
    /// Puts a datagram of `member` into a worker's receive queue: its own, or the other's, who hands it over.
    func deliver(_ member: Member, isStray: Bool = false, _ write: (UnsafeMutableRawPointer) -> Int) {
        guard let packet = pool.allocate() else { return }
        let template = member.peer.template
        let length = write(packet.data + template.length)
        template.write(into: packet.data, payloadLength: length)
        _ = packet.setLength(template.length + length)
        let worker = Int(member.peer.session.worker)
        if !queues[isStray ? 1 - worker : worker].received.push(packet) { packet.free() }
    }

    func check(_ member: Member) {
        guard let packet = pool.allocate() else { return }
        member.peer.writeCheck(into: packet)
        if !queues[member.peer.session.worker].received.push(packet) { packet.free() }
    }

    /// A layer's packet, or a repair of it: 10 packets a frame, a keyframe each 500 frames.
    func sendVideo(_ member: Member, layer: Int, isLost: Bool) {
        let ssrc = member.cameraSsrc(layer)
        let index = member.indices[ssrc, default: 1_000]
        member.indices[ssrc] = index + 1
        if isLost { return sendRepair(member, layer: layer, of: index, after: 30) }
        deliver(member, isStray: index % 97 == 0) {
            seal(member, at: $0, ssrc: ssrc, type: 96, index: index, content: index)
        }
    }

    /// The publisher answers a NACK, which it need not read: it knows what it left out.
    private func sendRepair(_ member: Member, layer: Int, of lost: UInt64, after milliseconds: Int) {
        repairs.append((now + UInt64(milliseconds) * Self.interval, member, layer, lost))
    }

    func sendRepairs() {
        while let (due, member, layer, lost) = repairs.first, due <= now {
            repairs.removeFirst()
            let ssrc = member.repairSsrc(layer)
            let index = member.indices[ssrc, default: 1]
            member.indices[ssrc] = index + 1
            deliver(member) { seal(member, at: $0, ssrc: ssrc, type: 97, index: index, content: lost) }
        }
    }

    func sendAudio(_ member: Member) {
        let ssrc = member.microphoneSsrc
        let index = member.indices[ssrc, default: 65_000]
        member.indices[ssrc] = index + 1
        deliver(member) { seal(member, at: $0, ssrc: ssrc, type: 111, index: index, content: index) }
    }

    /// `content`: the number of the media packet that is inside.
    private func seal(
        _ member: Member, at start: UnsafeMutableRawPointer, ssrc: UInt32, type: UInt8, index: UInt64, content: UInt64
    ) -> Int {
        let isAudio = type == 111
        let frame = isAudio ? content : content / 10
        var header = RTPHeaderWriter(
            into: UnsafeMutableRawBufferPointer(start: start, count: 64), marker: !isAudio && content % 10 == 9,
            payloadType: type, sequence: UInt16(truncatingIfNeeded: index),
            timestamp: UInt32(truncatingIfNeeded: frame * (isAudio ? 960 : 3_000)), ssrc: ssrc)!
        header.add(BenchmarkPeer.transportSequenceID, be16: UInt16(truncatingIfNeeded: index))
        if isAudio { header.add(BenchmarkPeer.audioLevelID, u8: 0x80 | UInt8(content % 100)) }
        let headerLength = header.finish()
        var place = start + headerLength
        if type == 97 {
            place.storeBytes(of: UInt16(truncatingIfNeeded: content).bigEndian, as: UInt16.self)
            place += 2
        }
        let length = isAudio ? 160 : 1_100
        place.initializeMemory(as: UInt8.self, repeating: 0x5a, count: length)
        if !isAudio { writeVP8(at: place, content: content, layer: ssrc & 3) }
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        var job = SealJob(
            transform: member.transform, source: bytes + headerLength, destination: bytes, headerLength: headerLength,
            payloadLength: length + (type == 97 ? 2 : 0), index: index, ssrc: ssrc)
        engine.pointee.seal(&job, 1)
        return job.sealedLength
    }

    /// RFC 7741 section 4.2, RFC 6386 section 9.1.
    private func writeVP8(at place: UnsafeMutableRawPointer, content: UInt64, layer: UInt32) {
        let frame = content / 10
        let isFirst = content % 10 == 0
        let height = UInt16(180) << UInt16(layer)
        let descriptor: [UInt8] = [
            isFirst ? 0x90 : 0x80, 0xc0, 0x80 | UInt8(truncatingIfNeeded: frame >> 8 & 0x7f),
            UInt8(truncatingIfNeeded: frame), UInt8(truncatingIfNeeded: frame),
        ]
        let beginning: [UInt8] = [
            frame % 50 == 0 ? 0x10 : 0x11, 2, 0, 0x9d, 0x01, 0x2a, 0, 5, UInt8(height & 0xff), UInt8(height >> 8),
        ]
        for (index, byte) in (descriptor + (isFirst ? beginning : [])).enumerated() {
            place.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
    }

    func sendRTCP(_ member: Member, _ build: (inout RTCPWriter) -> Void) {
        deliver(member) { start in
            var writer = RTCPWriter(into: UnsafeMutableRawBufferPointer(start: start, count: 1_000))
            _ = writer.addReceiverReport(ssrc: 1)
            build(&writer)
            member.rtcpIndex += 1
            return engine.pointee.sealRTCP(
                member.transform, start.assumingMemoryBound(to: UInt8.self), writer.count, index: member.rtcpIndex)
        }
    }

    /// Asks for some of what came lately, as a receiver that lost it.
    func sendNack(_ member: Member, _ slot: SlotHandle) {
        let ssrc = member.slotSsrc(slot)
        guard let latest = member.received[ssrc] else { return }
        let missing = (3..<7).map { latest &- UInt16($0) }.sorted()
        sendRTCP(member) { writer in
            missing.withUnsafeBufferPointer { _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0) }
        }
    }

    func sendBytes(_ member: Member, _ bytes: [UInt8]) {
        deliver(member) { start in
            bytes.withUnsafeBytes { start.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            return bytes.count
        }
    }
}
