import Mailbox
import Wire

/// What a worker's turn is going to send: packets to seal, and frames that are whole.
///
/// Sealing a burst at a time is what multi-buffer ciphers want, and one transmit call for many frames what devices
/// want. The order among packets of one Slot is kept.
struct Outbox: ~Copyable {
    /// Places; a turn that has more flushes in between.
    static let capacity = 256

    /// What a sealed packet still lacks: its outer headers.
    private struct Envelope: BitwiseCopyable {
        var packet: Mbuf
        var template: UnsafePointer<FrameTemplate>
    }

    private let jobs: UnsafeMutablePointer<SealJob>
    private let envelopes: UnsafeMutablePointer<Envelope>
    private let frames: UnsafeMutablePointer<Mbuf>
    private let retired: UnsafeMutablePointer<Mbuf>
    private var jobCount = 0
    private var frameCount = 0
    private var retiredCount = 0
    private var identification: UInt16 = 0

    init() {
        jobs = .allocate(capacity: Self.capacity)
        envelopes = .allocate(capacity: Self.capacity)
        // Sealing adds all jobs to the frames that are there, and housekeeping adds some without looking.
        frames = .allocate(capacity: 3 * Self.capacity)
        retired = .allocate(capacity: 2 * Self.capacity)
    }

    deinit {
        frames.freeAll(frameCount)
        retired.freeAll(retiredCount)
        for index in 0..<jobCount { envelopes[index].packet.free() }
        retired.deallocate()
        jobs.deallocate()
        envelopes.deallocate()
        frames.deallocate()
    }

    var isFull: Bool {
        jobCount == Self.capacity || frameCount >= Self.capacity || retiredCount >= Self.capacity
    }
    var isEmpty: Bool { jobCount == 0 && frameCount == 0 && retiredCount == 0 }

    /// Gives up a reference to a packet once all that waits to be sealed, and may read from it, is sealed.
    mutating func retire(_ packet: Mbuf) {
        retired[retiredCount] = packet
        retiredCount &+= 1
    }

    /// A packet to seal; `packet` has room for it behind the template's headers, and `template` outlives the flush.
    mutating func add(_ job: SealJob, in packet: Mbuf, template: UnsafePointer<FrameTemplate>) {
        jobs[jobCount] = job
        envelopes[jobCount] = Envelope(packet: packet, template: template)
        jobCount &+= 1
    }

    /// A whole frame.
    mutating func add(_ frame: Mbuf) {
        frames[frameCount] = frame
        frameCount &+= 1
    }

    /// Puts the outer headers before a payload that is in place behind them, and adds the frame.
    mutating func add(
        _ packet: Mbuf, template: UnsafePointer<FrameTemplate>, payloadLength: Int, offload: ChecksumOffload
    ) {
        identification &+= 1
        let data = packet.data
        template.pointee.write(into: data, payloadLength: payloadLength, identification: identification)
        packet.clearOffloads()
        if offload.udp {
            template.pointee.fillPseudoHeaderSum(in: data, payloadLength: payloadLength)
            packet.requestChecksums(
                ChecksumOffload(ipv4Header: false, udp: true), isV4: template.pointee.isV4)
        } else {
            template.pointee.fillChecksum(in: data, payloadLength: payloadLength)
        }
        add(packet)
    }

    /// Seals what waits to be sealed.
    mutating func seal(engine: borrowing SrtpEngine, offload: ChecksumOffload) {
        engine.seal(jobs, jobCount)
        for index in 0..<jobCount {
            let envelope = envelopes[index]
            let length = jobs[index].sealedLength
            guard envelope.packet.setLength(envelope.template.pointee.length &+ length) else {
                envelope.packet.free()
                continue
            }
            add(envelope.packet, template: envelope.template, payloadLength: length, offload: offload)
        }
        jobCount = 0
        retired.freeAll(retiredCount)
        retiredCount = 0
    }

    /// Hands all frames to `queue`. What it does not take is dropped and counted.
    mutating func transmit<Queue: PortQueue & ~Copyable>(
        _ queue: inout Queue, counters: borrowing LocalCounters
    ) {
        guard frameCount > 0 else { return }
        var bytes: UInt64 = 0
        for index in 0..<frameCount { bytes &+= UInt64(truncatingIfNeeded: frames[index].length) }
        var sent = 0
        // A kernel-backed device takes part of a burst when its ring is full; it drains at the next call.
        var tries = 0
        while sent < frameCount && tries < 4 {
            sent &+= queue.transmit(frames + sent, count: frameCount &- sent)
            tries &+= 1
        }
        if sent < frameCount {
            for index in sent..<frameCount { bytes &-= UInt64(truncatingIfNeeded: frames[index].length) }
            counters.drop(.transmitFull, UInt64(frameCount &- sent))
            (frames + sent).freeAll(frameCount &- sent)
        }
        counters.add(.transmittedPackets, UInt64(sent))
        counters.add(.transmittedBytes, bytes)
        frameCount = 0
    }

    /// Hands all frames to a worker that has a transmit queue.
    mutating func handOver(to ring: Ring<Handover>, counters: borrowing LocalCounters) {
        for index in 0..<frameCount where !ring.stage(.transmit(frames[index])) {
            counters.drop(.transmitFull)
            frames[index].free()
        }
        ring.commit()
        frameCount = 0
    }
}
