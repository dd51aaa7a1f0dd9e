import Wire

/// Makes one continuous RTP stream of the changing sources of a Slot: sequence number, timestamp, the picture id and
/// TL0PICIDX of VP8 and VP9, and the dependency descriptor's frame number and template ids go on where the last source
/// ended (documentation, Architecture).
struct Rewriter: BitwiseCopyable {
    /// Between two changes of source: what is added to the source's numbers. Kept for a while, so that a NACK for an
    /// earlier number still finds its packet.
    struct Epoch: BitwiseCopyable {
        var sequenceDelta: UInt64 = 0
        /// The first number that was sent, with roll-overs.
        var first: UInt64 = 0
        var timestampDelta: UInt32 = 0
        var descriptorDelta = DescriptorDelta()
        var pictureDelta: UInt16 = 0
        var temporalDelta: UInt8 = 0
        /// The Track and layer that it came from.
        var layer: UInt8 = 0
        var track: UInt64 = 0
    }

    /// What is added to the numbers of a dependency descriptor: one word, as it is read for each packet.
    struct DescriptorDelta: BitwiseCopyable {
        private var bits: UInt32 = 0

        init(frames: UInt16 = 0, templates: UInt8 = 0) { bits = UInt32(templates) << 16 | UInt32(frames) }

        var frames: UInt16 { UInt16(truncatingIfNeeded: bits) }
        var templates: UInt8 { UInt8(truncatingIfNeeded: bits >> 16) }
    }

    /// How many changes of source a NACK may look back.
    static let maximumEpochs = 4

    /// The present epoch, also in `epochs`, in a place of its own: a computed index would copy them all for each packet.
    /// Meaningless before the first `begin`.
    private(set) var present = Epoch()
    /// The highest number sent, with roll-overs.
    private(set) var highest: UInt64
    private(set) var lastArrival: UInt64 = 0
    private(set) var lastTimestamp: UInt32
    /// Of the latest packet with any, in the source's numbers, and what was sent before its kinds changed.
    private var latest = StreamCounters()
    private var sent = StreamCounters()
    /// The stream's timestamp at moment 0 of the worker's clock, as sender reports tell it: sources of known clocks go on
    /// along the same line, so that sound and picture of the next source fit as those of the last did. Nil before the first.
    private var line: UInt32?
    /// How many changes there were; the present epoch is at (count - 1) % maximumEpochs.
    private(set) var changes = 0
    private(set) var epochs = InlineArray<4, Epoch>(repeating: Epoch())

    init(entropy: UInt64) {
        // Below 2^15, so that the receiver cannot take the first numbers for the end of a round (RFC 3711 section 3.3.1).
        highest = entropy & 0x7fff
        lastTimestamp = UInt32(truncatingIfNeeded: entropy >> 16)
    }

    var hasSent: Bool { lastArrival != 0 }

    /// A change of source: `record` is the first packet of the new one.
    mutating func begin(
        track: UInt64, layer: UInt8, record: PacketRecord, clockRate: UInt32, clock: SourceClock? = nil
    ) {
        settle()
        var epoch = Epoch()
        epoch.track = track
        epoch.layer = layer
        epoch.first = highest &+ 1
        epoch.sequenceDelta = epoch.first &- record.sequence
        if hasSent {
            let elapsed = record.arrival > lastArrival ? record.arrival &- lastArrival : 0
            let ticks = UInt32(truncatingIfNeeded: elapsed / 1_000 &* UInt64(clockRate) / 1_000_000)
            epoch.timestampDelta =
                delta(alongLineOf: clock, record, limit: ticks &+ clockRate, clockRate: clockRate)
                ?? lastTimestamp &+ max(ticks, 1) &- record.timestamp
            epoch.continueCounters(sent, at: record.counters)
        } else {
            epoch.timestampDelta = lastTimestamp &- record.timestamp
        }
        epochs[changes & (Self.maximumEpochs - 1)] = epoch
        present = epoch
        changes &+= 1
        if let clock { _ = timestamp(at: record.arrival, clockRate: clockRate, clock: clock) }
    }

    /// What the timestamps of a source must be shifted by to go on along the line; nil when it is not known, or when that
    /// would go back or further ahead than `limit`.
    private func delta(
        alongLineOf clock: SourceClock?, _ record: PacketRecord, limit: UInt32, clockRate: UInt32
    ) -> UInt32? {
        guard let clock, let line else { return nil }
        let ticks = SourceClock.ticks(Int64(bitPattern: record.arrival), clockRate)
        let delta =
            line &+ UInt32(truncatingIfNeeded: ticks) &- clock.timestamp(at: record.arrival, clockRate: clockRate)
        let ahead = record.timestamp &+ delta &- lastTimestamp
        return ahead > 0 && ahead <= limit ? delta : nil
    }

    /// What was sent last stands in `sent` from now on.
    private mutating func settle() {
        sent.merge(latest.shifted(by: present))
        latest = StreamCounters()
    }

    /// The numbers after this one were not sent after all: they go to what comes next.
    mutating func rewind(to number: UInt64) { highest = min(highest, number) }

    /// Whether a packet of the present source belongs to the present epoch: not from before the change.
    @inline(__always)
    func admits(_ sequence: UInt64) -> Bool {
        let number = sequence &+ present.sequenceDelta
        // Numbers before the first wrap round below zero, hence the signed comparison.
        return Int64(bitPattern: number &- present.first) >= 0
    }

    /// Whether the source's numbers jumped so far that the receiver could lose count of the stream's roll-overs (RFC 3711
    /// section 3.3.1).
    @inline(__always)
    func leaps(to sequence: UInt64) -> Bool {
        Int64(bitPattern: sequence &+ present.sequenceDelta &- highest) > 0x1000
    }

    /// Remembers what was sent, so that the next source can go on there. `record` is of the present source.
    @inline(__always)
    mutating func note(_ record: UnsafePointer<PacketRecord>) {
        let number = record.pointee.sequence &+ present.sequenceDelta
        guard number > highest || !hasSent else { return }
        highest = number
        lastTimestamp = record.pointee.timestamp &+ present.timestampDelta
        lastArrival = record.pointee.arrival
        // Padding has none; a publisher may also begin to leave some of them out.
        let kinds = record.pointee.counters.kinds
        if kinds != latest.kinds { settle() }
        if !kinds.isEmpty { latest = record.pointee.counters }
    }

    /// The epoch in which `sequence` (16 bits, as a NACK names it) was sent, and its number with roll-overs; nil when
    /// that is too long ago or never was.
    func find(_ sequence: UInt16) -> (epoch: Epoch, number: UInt64)? {
        guard changes > 0 else { return nil }
        let behind = UInt64(UInt16(truncatingIfNeeded: highest) &- sequence)
        guard behind < 0x8000, behind <= highest else { return nil }
        let number = highest &- behind
        var age = 0
        while age < min(changes, Self.maximumEpochs) {
            let epoch = epochs[(changes &- 1 &- age) & (Self.maximumEpochs - 1)]
            if number >= epoch.first { return (epoch, number) }
            age &+= 1
        }
        return nil
    }

    /// The stream's timestamp at `now` (ns), for sender reports (RFC 3550 section 6.4.1), by the clock of the present source.
    mutating func timestamp(at now: UInt64, clockRate: UInt32, clock: SourceClock) -> UInt32 {
        let timestamp = clock.timestamp(at: now, clockRate: clockRate) &+ present.timestampDelta
        line = timestamp &- UInt32(truncatingIfNeeded: SourceClock.ticks(Int64(bitPattern: now), clockRate))
        return timestamp
    }

    /// Likewise of a source whose clock is not known, by the arrival of its packets.
    func timestamp(at now: UInt64, clockRate: UInt32) -> UInt32 {
        let elapsed = now > lastArrival ? now &- lastArrival : 0
        return lastTimestamp &+ UInt32(truncatingIfNeeded: elapsed / 1_000 &* UInt64(clockRate) / 1_000_000)
    }
}

extension Rewriter.Epoch {
    /// Lets the counters of a source whose first packet has `first` go on behind those that were `sent`; what was never sent
    /// begins as the source has it.
    fileprivate mutating func continueCounters(_ sent: StreamCounters, at first: StreamCounters) {
        let kinds = sent.kinds.intersection(first.kinds)
        if kinds.contains(.picture) { pictureDelta = sent.pictureID &+ 1 &- first.pictureID }
        if kinds.contains(.temporalIndex) { temporalDelta = sent.temporalIndex &+ 1 &- first.temporalIndex }
        guard kinds.contains(.frame) else { return }
        // Receivers take a frame whose number lies behind for one that came late. Template ids of their own, so that no packet
        // is read by the structure of another source.
        descriptorDelta = Rewriter.DescriptorDelta(
            frames: sent.frameNumber &+ 1 &- first.frameNumber, templates: sent.endTemplate &- first.firstTemplate)
    }
}
