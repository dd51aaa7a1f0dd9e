import Mailbox
import Wire

/// Sounds that go out with those before them (RFC 2198), to receivers that lose some.
extension Worker where Queue: ~Copyable {
    /// How long sounds are kept after one was sent with those before it, ns: longer than a pause between two of them.
    private static var repetitionLife: UInt64 { 1_000_000_000 }

    /// How many earlier sounds go with each of a Slot's.
    @inline(__always)
    func redundancy(of slot: UnsafeMutablePointer<Slot>, over path: SinkPath) -> Int {
        guard slot.pointee.types.hasRed, let congestion = path.session.pointee.congestion else { return 0 }
        return Int(congestion.pointee.redundancy)
    }

    /// As `emit`, with up to `count` of the sounds before it: bytes of the payload; nil where it was not sent.
    @inline(never)
    mutating func emitRedundant(
        _ packet: Mbuf, _ heading: PacketHeading, count: Int, to slot: UnsafeMutablePointer<Slot>,
        of track: UnsafeMutablePointer<Track>, over path: SinkPath
    ) -> Int? {
        let record = UnsafePointer(packet.record)
        track.pointee.repeatedUntil = record.pointee.arrival &+ Self.repetitionLife
        guard let out = stock.take(from: pool) else {
            counters.drop(.noBuffer)
            return nil
        }
        var heading = heading
        heading.payloadType = slot.pointee.types.red
        let destination = out.data + path.headerOffset
        let headerLength = writeHeader(heading, packet, record, over: path, to: destination)
        let payload = destination + headerLength
        let room = path.maximumLength &- headerLength &- path.transform.tagLength
        let length = writeRedundant(
            packet, count: min(count, RedundantAudio.mostBlocks), to: payload, room: room, slot, track)
        guard length <= room else {
            stock.putBack(out)
            counters.drop(.oversize)
            return nil
        }
        let job = SealJob(
            transform: path.transform, source: payload.assumingMemoryBound(to: UInt8.self),
            destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
            payloadLength: length, index: heading.number, ssrc: heading.ssrc)
        outbox.seal(
            job, in: out, template: path.template, priority: heading.priority, engine: engine, offload: queue.offload)
        noteSent(heading, bytes: job.sealedLength, over: path)
        counters.add(.redundantPackets)
        counters.add(
            .redundantBytes, UInt64(truncatingIfNeeded: length &- Int(record.pointee.payloadLength)))
        return length
    }

    /// Writes headers and sounds; its bytes, which are more than `room` where nothing was written.
    private func writeRedundant(
        _ packet: Mbuf, count: Int, to payload: UnsafeMutableRawPointer, room: Int, _ slot: UnsafeMutablePointer<Slot>,
        _ track: UnsafeMutablePointer<Track>
    ) -> Int {
        let record = packet.record
        let type = slot.pointee.types.media
        let layer = Int(record.pointee.layer)
        var sounds = InlineArray<2, Mbuf>(repeating: packet)
        var blocks = 0
        var length = RedundantAudio.lastHeaderLength &+ Int(record.pointee.payloadLength)
        guard length <= room else { return length }
        for age in stride(from: count, to: 0, by: -1) {
            let sequence = record.pointee.sequence &- UInt64(age)
            guard slot.pointee.rewriter.admits(sequence), let sound = track.pointee.layers[layer].cache.find(sequence)
            else { continue }
            let taken = Int(sound.record.pointee.payloadLength)
            let offset = record.pointee.timestamp &- sound.record.pointee.timestamp
            let longer = length &+ RedundantAudio.blockHeaderLength &+ taken
            guard RedundantAudio.takes(offset: offset, length: taken), longer <= room else { continue }
            payload.setBE32(
                RedundantAudio.blockHeader(payloadType: type, offset: offset, length: taken),
                at: blocks &* RedundantAudio.blockHeaderLength)
            sounds[blocks] = sound
            blocks &+= 1
            length = longer
        }
        var end = blocks &* RedundantAudio.blockHeaderLength
        payload.setU8(RedundantAudio.lastHeader(payloadType: type), at: end)
        end &+= RedundantAudio.lastHeaderLength
        for block in 0...blocks {
            let sound = block < blocks ? sounds[block] : packet
            let bytes = Int(sound.record.pointee.payloadLength)
            (payload + end).copyMemory(from: sound.data + Int(sound.record.pointee.payloadOffset), byteCount: bytes)
            end &+= bytes
        }
        return length
    }
}
