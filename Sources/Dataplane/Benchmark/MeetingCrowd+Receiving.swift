import Mailbox
import Wire

/// What people make of what they get.
extension MeetingCrowd {
    /// Of Ethernet, IPv4 and UDP.
    private static let outerLength = 42
    private static let firstAddress: UInt32 = 0x0a01_0000

    /// Looks at the frames that a turn transmitted at `now`.
    mutating func take(_ frames: UnsafeMutablePointer<Mbuf>, _ count: Int, now: UInt64) {
        for place in 0..<count {
            let frame = frames[place]
            guard frame.length > Self.outerLength + 8 else { continue }
            let number = Int(UnsafeRawPointer(frame.data).be32(30) &- Self.firstAddress)
            guard number >= 0, number < self.count else { continue }
            let start = frame.data + Self.outerLength
            let bytes = UnsafeMutableRawBufferPointer(start: start, count: frame.length - Self.outerLength)
            switch PacketKind(UnsafeRawBufferPointer(bytes)) {
            case .rtp: takeRTP(bytes, people + number, now: now)
            case .rtcp: takeRTCP(bytes, people + number, now: now)
            default: break
            }
        }
    }

    private mutating func takeRTP(
        _ bytes: UnsafeMutableRawBufferPointer, _ person: UnsafeMutablePointer<MeetingPerson>, now: UInt64
    ) {
        guard let header = RTPPacket(encrypted: UnsafeRawBufferPointer(bytes)) else {
            tally.unauthentic += 1
            return
        }
        let offset = Int(header.ssrc &- BenchmarkSource.firstSlotSsrc)
        let (index, isRepair) = (offset / 2, offset & 1 != 0)
        guard offset >= 0, index / MeetingPerson.slots == person.pointee.number else {
            tally.misplaced += 1
            return
        }
        let isLost = random.next() % 1_000 < person.pointee.loss
        if isLost { tally.lost += 1 }
        hear(header, person, isLost: isLost, now: now)
        let slot = slots + index
        guard !isRepair else {
            slot.pointee.hasRepairs = true
            tally.repeated += 1
            if !isLost { takeRepair(bytes, header, index, person) }
            return
        }
        count(header, bytes.count)
        slot.pointee.packets += 1
        if slot.pointee.hasStarted, header.sequence != slot.pointee.lastSequence &+ 1 { tally.gaps += 1 }
        slot.pointee.lastSequence = header.sequence
        slot.pointee.hasStarted = true
        if isLost {
            slot.pointee.hasPicture = false
            if index % MeetingPerson.slots < MeetingPerson.videoSlots { miss(header.sequence, index, person, now: now) }
        } else if person.pointee.isStrict {
            look(bytes, header, slot, person, now: now)
        }
    }

    private mutating func count(_ header: RTPPacket, _ length: Int) {
        guard header.payloadType == BenchmarkSource.cameraPayloadType else {
            tally.audio += 1
            return
        }
        // Between the sizes, with headers.
        tally.video[length < 600 ? 0 : length < 950 ? 1 : 2] += 1
    }

    /// Notes the transport-wide number, which goes up by one with each packet.
    private mutating func hear(
        _ header: RTPPacket, _ person: UnsafeMutablePointer<MeetingPerson>, isLost: Bool, now: UInt64
    ) {
        guard let value = header.element(BenchmarkPeer.transportSequenceID), value.count == 2,
            let base = value.baseAddress
        else {
            tally.unauthentic += 1
            return
        }
        if base.be16(0) != UInt16(truncatingIfNeeded: person.pointee.heardEnd) { tally.gaps += 1 }
        if person.pointee.heardEnd - person.pointee.toldEnd >= UInt64(Self.heard) {
            tally.overruns += 1
            person.pointee.toldEnd += 1
        }
        times[person.pointee.number * Self.heard + Int(person.pointee.heardEnd % UInt64(Self.heard))] =
            now * 2 + (isLost ? 1 : 0)
        person.pointee.heardEnd += 1
    }

    /// It is asked for as soon as the next packet shows that it did not come.
    private mutating func miss(
        _ sequence: UInt16, _ slot: Int, _ person: UnsafeMutablePointer<MeetingPerson>, now: UInt64
    ) {
        guard person.pointee.missing < MeetingLoss.most else {
            tally.overruns += 1
            return
        }
        (losses + person.pointee.number * MeetingLoss.most + person.pointee.missing).initialize(
            to: MeetingLoss(slot: UInt32(slot), sequence: sequence, due: now + 2 * Self.delay + 10_000_000))
        person.pointee.missing += 1
    }

    /// Opens a packet in place; nil where it is not authentic. Nobody's numbers reach 2^16.
    private mutating func open(
        _ bytes: UnsafeMutableRawBufferPointer, _ header: RTPPacket, _ person: UnsafeMutablePointer<MeetingPerson>
    ) -> RTPPacket? {
        var job = OpenJob(
            transform: person.pointee.opening, packet: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self),
            headerLength: header.headerLength, length: bytes.count, index: UInt64(header.sequence), ssrc: header.ssrc)
        engine.pointee.open(&job, 1)
        guard job.ok, let plain = RTPPacket(plain: header, count: job.plainLength) else {
            tally.unauthentic += 1
            return nil
        }
        return plain
    }

    private mutating func takeRepair(
        _ bytes: UnsafeMutableRawBufferPointer, _ header: RTPPacket, _ slot: Int,
        _ person: UnsafeMutablePointer<MeetingPerson>
    ) {
        guard let plain = open(bytes, header, person), let sequence = RTX.originalSequence(plain.payload) else {
            return
        }
        let list = losses + person.pointee.number * MeetingLoss.most
        for place in 0..<person.pointee.missing
        where list[place].slot == UInt32(slot) && list[place].sequence == sequence {
            person.pointee.missing -= 1
            list[place] = list[person.pointee.missing]
            return
        }
    }

    /// Whose it is, and whether pictures follow each other.
    private mutating func look(
        _ bytes: UnsafeMutableRawBufferPointer, _ header: RTPPacket, _ slot: UnsafeMutablePointer<MeetingSlot>,
        _ person: UnsafeMutablePointer<MeetingPerson>, now: UInt64
    ) {
        guard let plain = open(bytes, header, person), plain.payload.count >= 24, let base = plain.payload.baseAddress
        else { return }
        // What was on its way when it changed comes yet.
        if Int32(base.be32(20)) != slot.pointee.person, now - slot.pointee.changedAt > 100_000_000 {
            tally.misplaced += 1
        }
        guard header.payloadType == BenchmarkSource.cameraPayloadType else { return }
        let picture = base.be16(2) & 0x7fff
        if slot.pointee.hasPicture, (picture &- slot.pointee.pictureID) & 0x7fff > 1 { tally.pictureJumps += 1 }
        slot.pointee.pictureID = picture
        slot.pointee.hasPicture = true
    }

    /// Reads sender reports, for its own, and does as it is asked: keyframes of all sizes.
    private mutating func takeRTCP(
        _ bytes: UnsafeMutableRawBufferPointer, _ person: UnsafeMutablePointer<MeetingPerson>, now: UInt64
    ) {
        tally.rtcp += 1
        let start = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        guard let opened = engine.pointee.openRTCP(person.pointee.opening, start, bytes.count) else {
            tally.unauthentic += 1
            return
        }
        var compound = RTCPCompound(UnsafeRawBufferPointer(start: bytes.baseAddress, count: opened.plainLength))
        while let part = compound.next() {
            if PictureLossIndication(part) != nil { person.pointee.wantsKeyframe = true }
            guard let report = SenderReport(part) else { continue }
            person.pointee.senderReport = UInt32(truncatingIfNeeded: report.ntpTime >> 16)
            person.pointee.senderReportAt = now + Self.delay
        }
    }
}
