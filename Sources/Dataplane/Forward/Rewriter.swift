import Wire

/// Makes one continuous RTP stream of the changing sources of a Slot: sequence number, timestamp, the picture id and
/// TL0PICIDX of VP8 and VP9, and the dependency descriptor's frame number and template ids go on where the last source
/// ended (documentation, Architecture).
struct Rewriter: BitwiseCopyable {
    /// Between two changes of source: what is added to the source's numbers. Kept for a while, so that a NACK for an
    /// earlier number still finds its packet.
    struct Epoch: BitwiseCopyable {
        /// This and `pictureDelta` shrink with each packet and picture that the Slot does not get: they are of the newest.
        var sequenceDelta: UInt64 = 0
        /// The first number that was sent, with roll-overs.
        var first: UInt64 = 0
        var timestampDelta: UInt32 = 0
        var descriptorDelta = DescriptorDelta()
        var pictureDelta: UInt16 = 0
        var temporalDelta: UInt8 = 0
        /// The Track and layer that it came from.
        var layer: UInt8 = 0
        /// How many numbers from the first on stand for packets that cannot be told any more, as others behind them were
        /// omitted.
        var untold: UInt32 = 0
        var track: UInt64 = 0
    }

    /// A number that was sent.
    struct Place: BitwiseCopyable {
        var epoch: Epoch
        /// With roll-overs, as sent, and as the source has it.
        var number: UInt64
        var sequence: UInt64
        fileprivate var isPresent: Bool
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

    /// Meaningless before the first `begin`.
    private(set) var present = Epoch()
    /// The highest number sent, or kept for what may come late, with roll-overs.
    private(set) var highest: UInt64
    private(set) var lastArrival: UInt64 = 0
    private(set) var lastTimestamp: UInt32
    /// Of the latest packet with any, in the source's numbers, and what was sent before its kinds changed.
    private var latest = StreamCounters()
    private var sent = StreamCounters()
    /// The stream's timestamp at moment 0 of the worker's clock, as sender reports tell it: sources of known clocks go on
    /// along the same line, so that sound and picture of the next source fit as those of the last did. Nil before the first.
    private var line: UInt32?
    /// How many changes there were; the epoch after the nth is at (n - 1) % 3 when it has ended.
    private(set) var changes = 0
    private var ended = InlineArray<3, Epoch>(repeating: Epoch())
    private var selection = TemporalSelection()

    init(entropy: UInt64) {
        // Below 2^15, so that the receiver cannot take the first numbers for the end of a round (RFC 3711 section 3.3.1).
        highest = entropy & 0x7fff
        lastTimestamp = UInt32(truncatingIfNeeded: entropy >> 16)
    }

    var hasSent: Bool { lastArrival != 0 }

    /// A change of source: `record` is the first packet of the new one, of which the Slot gets the temporal layers up to
    /// `limit`.
    mutating func begin(
        track: UInt64, layer: UInt8, record: PacketRecord, clockRate: UInt32, clock: SourceClock? = nil,
        upTo limit: UInt8 = TemporalLayer.highest
    ) {
        settle()
        endSelection()
        if changes > 0 { ended[(changes &- 1) % (Self.maximumEpochs - 1)] = present }
        selection = TemporalSelection(upTo: limit)
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
    mutating func rewind(to number: UInt64) {
        endSelection()
        highest = min(highest, number)
    }

    /// Whether a packet of the present source belongs to the present epoch: not from before the change.
    @inline(__always)
    func admits(_ sequence: UInt64) -> Bool {
        let number = sequence &+ present.sequenceDelta
        // Numbers before the first wrap round below zero, hence the signed comparison.
        return Int64(bitPattern: number &- present.first) >= Int64(present.untold) || admitsLate(sequence)
    }

    /// Likewise: the delta is of the newest packet, and those omitted since make that of a late one larger.
    private func admitsLate(_ sequence: UInt64) -> Bool {
        let newest = highest &- present.sequenceDelta
        guard selection.packets.count > 0, newest &- sequence < OmittedPackets.window else { return false }
        let number = sequence &+ present.sequenceDelta &+ selection.packets.count(behind: sequence, upTo: newest)
        return Int64(bitPattern: number &- present.first) >= Int64(present.untold)
    }

    /// Whether the source's numbers jumped so far that the receiver could lose count of the stream's roll-overs (RFC 3711
    /// section 3.3.1).
    @inline(__always)
    func leaps(to sequence: UInt64) -> Bool {
        Int64(bitPattern: sequence &+ present.sequenceDelta &- highest) > 0x1000
    }

    /// Remembers what was sent, so that the next source can go on there. `record` is of the present source.
    @inline(__always)
    mutating func note(_ record: UnsafePointer<PacketRecord>, _ deltas: Deltas) {
        let number = record.pointee.sequence &+ deltas.sequence
        guard number > highest || !hasSent else {
            if deltas.sequence != present.sequenceDelta { noteLate(record, deltas) }
            return
        }
        highest = number
        lastTimestamp = record.pointee.timestamp &+ present.timestampDelta
        lastArrival = record.pointee.arrival
        // Padding has none; a publisher may also begin to leave some of them out.
        let kinds = record.pointee.counters.kinds
        if kinds != latest.kinds { settle() }
        if !kinds.isEmpty { latest = record.pointee.counters }
    }

    /// What came behind it was omitted: it may be the newest that was sent all the same.
    private mutating func noteLate(_ record: UnsafePointer<PacketRecord>, _ deltas: Deltas) {
        let timestamp = record.pointee.timestamp &+ present.timestampDelta
        guard Int32(bitPattern: timestamp &- lastTimestamp) > 0 else { return }
        settle()
        lastTimestamp = timestamp
        lastArrival = record.pointee.arrival
        var epoch = present
        epoch.pictureDelta = deltas.picture
        sent.merge(record.pointee.counters.shifted(by: epoch))
    }

    /// Where `sequence` (16 bits, as a NACK names it) was sent; nil when that is too long ago or never was.
    func find(_ sequence: UInt16) -> Place? {
        guard changes > 0 else { return nil }
        let behind = UInt64(UInt16(truncatingIfNeeded: highest) &- sequence)
        guard behind < 0x8000, behind <= highest else { return nil }
        let number = highest &- behind
        var epoch = present
        var age = 1
        while number < epoch.first {
            guard age < min(changes, Self.maximumEpochs) else { return nil }
            epoch = ended[(changes &- 1 &- age) % (Self.maximumEpochs - 1)]
            age &+= 1
        }
        guard number &- epoch.first >= UInt64(epoch.untold) else { return nil }
        var place = Place(
            epoch: epoch, number: number, sequence: number &- epoch.sequenceDelta, isPresent: age == 1)
        guard age == 1, selection.packets.count > 0 else { return place }
        guard let told = selection.packets.sequence(ofAge: behind, upTo: highest &- present.sequenceDelta) else {
            return nil
        }
        place.sequence = told
        return place
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

/// Where the Slot does not get all temporal layers: the numbers of what it gets close up.
extension Rewriter {
    /// What is added to the numbers of one packet.
    struct Deltas: BitwiseCopyable {
        var sequence: UInt64
        var picture: UInt16
    }

    /// From now on each packet of the source is to be asked about (`select`).
    mutating func beginSelection() { selection.pictures = OmittedPictures() }

    /// No packet needs to be asked about any more, if all are to be sent.
    var isSelectionOver: Bool { selection.isOver }

    /// A packet of the present source that belongs to the present epoch: nil when the Slot does not get it.
    mutating func select(_ record: UnsafePointer<PacketRecord>, upTo wanted: UInt8, closesPictures: Bool) -> Deltas? {
        let sequence = record.pointee.sequence
        let newest = highest &- present.sequenceDelta
        guard Int64(bitPattern: sequence &- newest) > 0 else { return deltas(of: record, sequence) }
        let isBegun = hasSent && record.pointee.timestamp &+ present.timestampDelta == lastTimestamp
        let isSent = selection.admits(record.pointee.temporal, sequence, isBegun: isBegun, upTo: wanted)
        let before = selection.packets.count
        selection.packets.advance(from: newest, to: sequence, isOmitted: !isSent)
        if before > 0, selection.packets.count == 0 {
            // Nobody knows any more what was omitted before this window, to which the newest is not counted yet.
            tell(from: highest &- (OmittedPackets.window &- 2))
        }
        if !isSent { settle() }
        if closesPictures, record.pointee.pictureIDOffset != 0,
            selection.pictures.advance(
                to: record.pointee.counters.pictureID, isLong: record.pointee.pictureIDIsLong, isOmitted: !isSent)
        {
            present.pictureDelta &-= 1
        }
        guard isSent else {
            // Those before it that did not come keep their numbers.
            highest = sequence &+ present.sequenceDelta &- 1
            present.sequenceDelta &-= 1
            return nil
        }
        return Deltas(sequence: present.sequenceDelta, picture: present.pictureDelta)
    }

    /// Of a packet that is late or asked for; nil when the Slot does not get it.
    private func deltas(of record: UnsafePointer<PacketRecord>, _ sequence: UInt64) -> Deltas? {
        let newest = highest &- present.sequenceDelta
        guard newest &- sequence < OmittedPackets.window, selection.admits(record.pointee.temporal, sequence) else {
            return nil
        }
        var deltas = Deltas(
            sequence: present.sequenceDelta &+ selection.packets.count(behind: sequence, upTo: newest),
            picture: present.pictureDelta)
        if record.pointee.pictureIDOffset != 0, selection.packets.count > 0 {
            guard
                let after = selection.pictures.count(
                    after: record.pointee.counters.pictureID, isLong: record.pointee.pictureIDIsLong)
            else { return nil }
            deltas.picture &+= after
        }
        return deltas
    }

    /// The epoch as it was when the packet at a place was sent; nil when the Slot did not get it.
    func epoch(of place: Place, _ record: UnsafePointer<PacketRecord>) -> Epoch? {
        guard place.isPresent, selection.packets.count > 0 else { return place.epoch }
        guard let deltas = deltas(of: record, place.sequence) else { return nil }
        var epoch = place.epoch
        (epoch.sequenceDelta, epoch.pictureDelta) = (deltas.sequence, deltas.picture)
        return epoch
    }

    /// The source ends: what was sent before the last packet that was omitted cannot be told any more.
    private mutating func endSelection() {
        guard selection.packets.count > 0 else { return }
        let newest = highest &- present.sequenceDelta
        let told = highest &- selection.packets.tail(upTo: newest) &+ 1
        tell(from: told)
        selection.packets = OmittedPackets()
    }

    /// Of the present epoch nothing before this number is known any more.
    private mutating func tell(from number: UInt64) {
        present.untold = max(present.untold, UInt32(clamping: Int64(bitPattern: number &- present.first)))
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
