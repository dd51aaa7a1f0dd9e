import CDPDK
import Mailbox
import Wire

/// A worker's transmit queue: frames in order, some of which are still to be sealed.
///
/// A packet whose profile does not gain from batching (GCM) is sealed at once, while its buffer is in the L1 cache; others
/// wait until there are enough for the multi-buffer ciphers. Frames are handed to the device in bursts. The order of
/// packets is kept.
///
/// Frames that the port does not take are held back and go first the next time. When more than `backlog` wait, frames of
/// the lowest `FramePriority` are dropped, the latest first: those that wait longest belong to pictures whose first
/// packets have been sent. Control traffic does not wait behind media.
struct Outbox: ~Copyable {
    /// Frames that are sent together at most: as many as AES-CM packets are sealed together.
    static let burst = 64
    /// Frames that are held back at most: 2 ms of 1 Gbit/s.
    static let backlog = 256
    /// Packets that may be retired before a flush.
    private static let retiredCapacity = 512

    /// The frame of a seal that waits: its checksum is filled in afterwards.
    private struct Envelope: BitwiseCopyable {
        var packet: Mbuf
        var template: UnsafePointer<FrameTemplate>
    }

    /// Frames that are sent together when none of them waits for its seal: what the port wants, up to `burst`.
    private let transmitBurst: Int
    private let jobs: UnsafeMutablePointer<SealJob>
    private let envelopes: UnsafeMutablePointer<Envelope>
    private let frames: UnsafeMutablePointer<Mbuf>
    private let retired: UnsafeMutablePointer<Mbuf>
    private var jobCount = 0
    private var frameCount = 0
    /// The first of the frames that the port did not take the last time.
    private(set) var heldCount = 0
    private var retiredCount = 0
    private var identification: UInt16 = 0
    /// Our own link address (`FrameTemplate.word`), to which nothing is sent on the wire.
    private let ownWord: UInt64
    private(set) var stall = TransmitStall()
    /// Frames to it have been added since they were last taken out.
    private(set) var hasLooped = false

    init(mac: MACAddress = .broadcast, transmitBurst: Int = Self.burst) {
        self.transmitBurst = min(transmitBurst, Self.burst)
        ownWord = FrameTemplate.word(of: mac)
        jobs = .allocate(capacity: Self.burst)
        envelopes = .allocate(capacity: Self.burst)
        // Housekeeping and handovers add some without asking `isFull`.
        frames = .allocate(capacity: Self.backlog + 8 * Self.burst)
        retired = .allocate(capacity: Self.retiredCapacity)
    }

    deinit {
        frames.freeAll(frameCount)
        retired.freeAll(retiredCount)
        retired.deallocate()
        jobs.deallocate()
        envelopes.deallocate()
        frames.deallocate()
    }

    /// It is time to send.
    @inline(__always)
    var isFull: Bool { frameCount &- heldCount >= (jobCount == 0 ? transmitBurst : Self.burst) }
    /// It is time to flush.
    @inline(__always)
    var needsFlush: Bool { isFull || retiredCount >= Self.retiredCapacity / 2 }
    var isEmpty: Bool { frameCount == 0 && retiredCount == 0 }

    /// Gives up a reference to a packet at the next flush, when nothing reads from it any more.
    @inline(__always)
    mutating func retire(_ packet: Mbuf) {
        retired[retiredCount] = packet
        retiredCount &+= 1
    }

    mutating func freeRetired() {
        retired.freeAll(retiredCount)
        retiredCount = 0
    }

    @inline(__always)
    private mutating func append(_ frame: Mbuf) {
        frames[frameCount] = frame
        frameCount &+= 1
    }

    /// A whole frame from another worker, which gave it its priority.
    mutating func add(prioritised frame: Mbuf) { append(frame) }

    /// A whole frame.
    @inline(__always)
    mutating func add(_ frame: Mbuf, priority: FramePriority = .control) {
        frame.setPriority(priority)
        append(frame)
    }

    /// Writes the outer headers in front of a payload that is in place, and adds the frame.
    mutating func add(
        _ packet: Mbuf, template: UnsafePointer<FrameTemplate>, payloadLength: Int, offload: ChecksumOffload
    ) {
        finish(packet, template, payloadLength: payloadLength, offload: offload)
        if !offload.udp { template.pointee.fillChecksum(in: packet.data, payloadLength: payloadLength) }
        add(packet)
    }

    /// A packet to seal, and its frame: `packet` has room for it behind the template's headers, and the frame is no
    /// longer than a buffer. `template` outlives the flush.
    @inline(__always)
    mutating func seal(
        _ job: SealJob, in packet: Mbuf, template: UnsafePointer<FrameTemplate>, priority: FramePriority,
        engine: borrowing SRTPEngine, offload: ChecksumOffload
    ) {
        finish(packet, template, payloadLength: job.sealedLength, offload: offload)
        add(packet, priority: priority)
        if engine.sealsSingly(job.transform.profile) {
            engine.seal(job)
            if !offload.udp { template.pointee.fillChecksum(in: packet.data, payloadLength: job.sealedLength) }
            return
        }
        jobs[jobCount] = job
        envelopes[jobCount] = Envelope(packet: packet, template: template)
        jobCount &+= 1
        if jobCount == Self.burst { finishSeals(engine: engine, offload: offload) }
    }

    /// Outer headers, lengths and offloads; the checksum that software computes comes last.
    @inline(__always)
    private mutating func finish(
        _ packet: Mbuf, _ template: UnsafePointer<FrameTemplate>, payloadLength: Int, offload: ChecksumOffload
    ) {
        identification &+= 1
        if template.pointee.destinationWord == ownWord { hasLooped = true }
        let data = packet.data
        template.pointee.write(into: data, payloadLength: payloadLength, identification: identification)
        let length = template.pointee.length &+ payloadLength
        if offload.udp { template.pointee.fillPseudoHeaderSum(in: data, payloadLength: payloadLength) }
        packet.finish(length: length, isV4: template.pointee.isV4, offloadsUDP: offload.udp)
    }

    /// Takes frames to ourselves out, up to `capacity`: how many. Nothing waits to be sealed.
    mutating func takeLooped(into looped: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        var kept = 0
        var taken = 0
        for index in 0..<frameCount {
            let frame = frames[index]
            if taken < capacity, FrameTemplate.word(of: MACAddress(load: frame.data)) == ownWord {
                looped[taken] = frame
                taken &+= 1
            } else {
                frames[kept] = frame
                kept &+= 1
            }
        }
        frameCount = kept
        hasLooped = false
        return taken
    }

    /// Seals what waits to be sealed.
    mutating func finishSeals(engine: borrowing SRTPEngine, offload: ChecksumOffload) {
        guard jobCount > 0 else { return }
        engine.seal(jobs, jobCount)
        if !offload.udp {
            for index in 0..<jobCount {
                envelopes[index].template.pointee.fillChecksum(
                    in: envelopes[index].packet.data, payloadLength: jobs[index].sealedLength)
            }
        }
        jobCount = 0
    }

    /// Hands all frames to `queue`, and holds back what it does not take. `now`: ns.
    mutating func transmit<Queue: PortQueue & ~Copyable>(
        _ queue: inout Queue, counters: borrowing LocalCounters, now: UInt64
    ) {
        guard frameCount > 0 else { return }
        guard queue.isLinkUp else { return dropAll(counters: counters) }
        var bytes: UInt64 = 0
        for index in 0..<frameCount { bytes &+= UInt64(truncatingIfNeeded: frames[index].length) }
        var sent = 0
        // A kernel-backed device takes part of a burst when its ring is full; it drains at the next call.
        var tries = 0
        while sent < frameCount && tries < 4 {
            sent &+= queue.transmit(frames + sent, count: frameCount &- sent)
            tries &+= 1
        }
        for index in sent..<frameCount { bytes &-= UInt64(truncatingIfNeeded: frames[index].length) }
        counters.add(.transmittedPackets, UInt64(sent))
        counters.add(.transmittedBytes, bytes)
        if sent > 0 {
            stall.end()
        } else if stall.note(now: now) {
            frames[0].free()
            counters.drop(.transmitRefused)
            sent = 1
        }
        holdBack(from: sent, counters: counters)
    }

    /// The link is down.
    @inline(never)
    private mutating func dropAll(counters: borrowing LocalCounters) {
        counters.drop(.linkDown, UInt64(truncatingIfNeeded: frameCount))
        frames.freeAll(frameCount)
        frameCount = 0
        heldCount = 0
        stall.end()
    }

    /// Hands all frames to a worker that has a transmit queue, and holds back what the ring has no room for.
    mutating func handOver(to ring: Ring<Handover>, counters: borrowing LocalCounters) {
        var sent = 0
        while sent < frameCount, ring.stage(.transmit(frames[sent])) { sent &+= 1 }
        ring.commit()
        holdBack(from: sent, counters: counters)
    }

    /// Keeps the frames from `sent` on for the next time: not more than `backlog`.
    @inline(__always)
    private mutating func holdBack(from sent: Int, counters: borrowing LocalCounters) {
        if sent < frameCount { compact(from: sent, counters: counters) } else { frameCount = 0 }
        heldCount = frameCount
    }

    @inline(never)
    private mutating func compact(from sent: Int, counters: borrowing LocalCounters) {
        frameCount &-= sent
        for index in 0..<frameCount {
            frames[index] = frames[sent &+ index]
        }
        var excess = frameCount &- Self.backlog
        var lowest: UInt8 = 0
        while excess > 0, let priority = FramePriority(rawValue: lowest) {
            excess &-= drop(priority, atMost: excess, counters: counters)
            lowest &+= 1
        }
        advanceControl()
    }

    /// Puts control traffic before media that waits, in its order: a publisher whose feedback is late takes the network for
    /// congested.
    private mutating func advanceControl() {
        var place = 0
        for index in 0..<frameCount where frames[index].priority == .control {
            let frame = frames[index]
            var hole = index
            while hole > place {
                frames[hole] = frames[hole &- 1]
                hole &-= 1
            }
            frames[place] = frame
            place &+= 1
        }
    }

    /// Drops the latest frames of a priority; how many.
    private mutating func drop(_ priority: FramePriority, atMost limit: Int, counters: borrowing LocalCounters) -> Int {
        var present = 0
        for index in 0..<frameCount where frames[index].priority == priority { present &+= 1 }
        var spared = max(present &- limit, 0)
        var kept = 0
        for index in 0..<frameCount {
            let goes = frames[index].priority == priority && spared == 0
            if goes {
                counters.drop(priority.dropReason)
                frames[index].free()
                continue
            }
            if frames[index].priority == priority { spared &-= 1 }
            frames[kept] = frames[index]
            kept &+= 1
        }
        let dropped = frameCount &- kept
        frameCount = kept
        return dropped
    }
}
