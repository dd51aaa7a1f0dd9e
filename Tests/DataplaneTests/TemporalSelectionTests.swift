import TestSupport
import Testing

@testable import Dataplane

/// A publisher's VP8 in three temporal layers, as libwebrtc encodes it.
private struct LayeredSource {
    /// Of each frame of the pattern: its id, whether it is a layer sync, and the distances of the frames that it refers to.
    static let pattern: [(id: UInt8, isSync: Bool, references: [Int])] = [
        (0, false, [4]), (2, true, [1]), (1, true, [2]), (2, false, [3, 1]), (0, false, [4]), (2, false, [1, 3]),
        (1, false, [2, 4]), (2, false, [3, 1]),
    ]

    struct Packet {
        var record: PacketRecord
        var frame: Int
    }

    var sequence: UInt64
    var picture: UInt16
    var timestamp: UInt32
    var isLong = true
    private(set) var frames = 0
    /// By frame: where each begins and how many packets it has.
    private(set) var counts: [Int] = []

    init(sequence: UInt64 = 65_500, picture: UInt16 = 0x7ff0, timestamp: UInt32 = 0xffff_f000, isLong: Bool = true) {
        self.sequence = sequence
        self.picture = picture & (isLong ? 0x7fff : 0x7f)
        self.timestamp = timestamp
        self.isLong = isLong
    }

    static func step(_ frame: Int) -> (id: UInt8, isSync: Bool, references: [Int]) {
        frame == 0 ? (0, false, []) : pattern[frame % 8]
    }

    mutating func frame(packets: Int) -> [Packet] {
        let step = Self.step(frames)
        let made = (0..<packets).map { place in
            var record = PacketRecord(
                sequence: sequence + UInt64(place), arrival: sequence + 1, timestamp: timestamp, payloadOffset: 0,
                payloadLength: 1_000, marker: place == packets - 1, startsKeyframe: frames == 0 && place == 0)
            record.note(pictureID: picture, at: 2, isLong: isLong)
            record.temporal = TemporalLayer(step.id)
            if place == 0, step.isSync { record.temporal.setSync() }
            if record.startsKeyframe { record.temporal.setSwitchToAll() }
            return Packet(record: record, frame: frames)
        }
        sequence += UInt64(packets)
        picture = (picture + 1) & (isLong ? 0x7fff : 0x7f)
        timestamp &+= 3_000
        frames += 1
        counts.append(packets)
        return made
    }
}

/// What a Slot gets of it.
private struct ThinnedSlot {
    struct Sent {
        var number: UInt64
        var picture: UInt16
        var frame: Int
        var sequence: UInt64
    }

    var rewriter: Rewriter
    var wanted: UInt8 = 3 {
        didSet {
            guard wanted < 3, !isThinned else { return }
            isThinned = true
            rewriter.beginSelection()
        }
    }
    private(set) var isThinned = false
    private var hasBegun = false
    private(set) var sent: [Sent] = []

    init(entropy: UInt64 = 100) { rewriter = Rewriter(entropy: entropy) }

    mutating func begin(_ packet: LayeredSource.Packet, layer: UInt8 = 0) {
        hasBegun = true
        rewriter.begin(track: 1, layer: layer, record: packet.record, clockRate: 90_000, upTo: wanted)
        isThinned = wanted < 3
    }

    /// As `Worker.send` does. Whether it was sent.
    @discardableResult
    mutating func take(_ packet: LayeredSource.Packet) -> Bool {
        if !hasBegun { begin(packet) }
        var record = packet.record
        guard rewriter.admits(record.sequence) else { return false }
        var deltas = Rewriter.Deltas(sequence: rewriter.present.sequenceDelta, picture: rewriter.present.pictureDelta)
        if isThinned {
            let selected = rewriter.select(&record, upTo: wanted, closesPictures: true)
            if wanted == 3, rewriter.isSelectionOver { isThinned = false }
            guard let selected else { return false }
            deltas = selected
        }
        rewriter.note(&record, deltas)
        let mask: UInt16 = record.pictureIDIsLong ? 0x7fff : 0x7f
        sent.append(
            Sent(
                number: record.sequence &+ deltas.sequence,
                picture: (record.counters.pictureID &+ deltas.picture) & mask,
                frame: packet.frame, sequence: record.sequence))
        return true
    }
}

@Suite struct TemporalSelectionTests {
    /// Sequence numbers, picture ids and timestamps go round on the way.
    @Test(arguments: [0, 1, 2, 3] as [UInt8], [true, false])
    func theNumbersOfWhatIsSentCloseUp(limit: UInt8, isLong: Bool) {
        var source = LayeredSource(isLong: isLong)
        var slot = ThinnedSlot()
        for packet in source.frame(packets: 3) { slot.take(packet) }
        slot.wanted = limit
        for count in 0..<400 { for packet in source.frame(packets: 1 + count % 3) { slot.take(packet) } }
        let numbers = slot.sent.map(\.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
        let mask: UInt16 = isLong ? 0x7fff : 0x7f
        for (before, after) in zip(slot.sent, slot.sent.dropFirst()) {
            #expect(after.picture == (after.frame == before.frame ? before.picture : (before.picture + 1) & mask))
        }
        let frames = Set(slot.sent.map(\.frame))
        #expect(frames == Set((0..<source.frames).filter { LayeredSource.step($0).id <= limit }))
        check(slot, source)
    }

    /// Every frame is sent whole, or not at all, and can be decoded.
    @Test(arguments: UInt64(1)...30) func whatIsSentCanBeDecoded(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var source = LayeredSource(
            sequence: UInt64.random(in: 0...65_535, using: &random), isLong: Bool.random(using: &random))
        var slot = ThinnedSlot(entropy: UInt64.random(in: 0...65_535, using: &random))
        for _ in 0..<1_500 {
            for packet in source.frame(packets: Int.random(in: 1...4, using: &random)) {
                // In the middle of frames too.
                if Int.random(in: 0..<30, using: &random) == 0 { slot.wanted = UInt8.random(in: 0...3, using: &random) }
                slot.take(packet)
            }
        }
        let numbers = slot.sent.map(\.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
        check(slot, source)
        slot.wanted = 3
        // With the next layer sync all are sent again, and after a window nothing is looked at any more.
        for _ in 0..<8 { for packet in source.frame(packets: 2) { slot.take(packet) } }
        var sent: [Bool] = []
        for _ in 0..<300 { for packet in source.frame(packets: 2) { sent.append(slot.take(packet)) } }
        #expect(!sent.contains(false))
        #expect(!slot.isThinned)
    }

    /// Each number is of one packet, in the order of the source's, and those that lack are of packets that got lost, or came
    /// after their frame was omitted.
    @Test(arguments: UInt64(1)...30) func lossAndReorderingLeaveTheNumbersInOrder(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var source = LayeredSource(
            sequence: UInt64.random(in: 0...65_535, using: &random), isLong: Bool.random(using: &random))
        var slot = ThinnedSlot(entropy: UInt64.random(in: 0...65_535, using: &random))
        for packet in source.frame(packets: 2) { slot.take(packet) }
        var late: [(due: Int, packet: LayeredSource.Packet)] = []
        var absent: Set<UInt64> = []
        for turn in 0..<1_500 {
            if Int.random(in: 0..<40, using: &random) == 0 { slot.wanted = UInt8.random(in: 0...3, using: &random) }
            for packet in source.frame(packets: Int.random(in: 1...4, using: &random)) {
                switch Int.random(in: 0..<20, using: &random) {
                case 0: absent.insert(packet.record.sequence)
                case 1: late.append((turn + Int.random(in: 1...20, using: &random), packet))
                default: slot.take(packet)
                }
            }
            for each in late where each.due == turn {
                let isSent = slot.take(each.packet)
                if !isSent { absent.insert(each.packet.record.sequence) }
            }
            late.removeAll { $0.due <= turn }
            checkFinding(slot, &random)
        }
        let sorted = slot.sent.sorted { $0.sequence < $1.sequence }
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.number < $1.number })
        absent.formUnion(late.map(\.packet.record.sequence))
        for (before, after) in zip(sorted, sorted.dropFirst()) {
            let between = ((before.sequence + 1)..<after.sequence).count { absent.contains($0) }
            #expect(after.number - before.number - 1 <= UInt64(between))
            if after.frame == before.frame { #expect(after.picture == before.picture) }
        }
    }

    /// A number that was sent lately leads back to its packet, with the ids that it had.
    private func checkFinding(_ slot: ThinnedSlot, _ random: inout SplitMix) {
        guard let each = slot.sent.suffix(100).randomElement(using: &random) else { return }
        let place = slot.rewriter.find(UInt16(truncatingIfNeeded: each.number))
        #expect(place?.number == each.number && place?.sequence == each.sequence)
    }

    /// A frame that came after the one behind it, which was omitted, was the last that was sent: the next source's ids follow it.
    @Test func theNextSourceGoesOnBehindAFrameThatWasLate() {
        var source = LayeredSource(sequence: 1_000, picture: 50)
        var slot = ThinnedSlot()
        for packet in source.frame(packets: 1) { slot.take(packet) }
        slot.wanted = 0
        // Up to the next frame of the lowest layer.
        var late: [LayeredSource.Packet] = []
        while late.isEmpty {
            let place = source.frames
            let packets = source.frame(packets: 2)
            if LayeredSource.step(place).id == 0 { late = packets } else { for packet in packets { slot.take(packet) } }
        }
        let sent = (source.frame(packets: 2) + late).map { slot.take($0) }
        #expect(sent == [false, false, true, true])
        let last = slot.sent.last
        var other = LayeredSource(sequence: 7_000_000, picture: 9)
        slot.wanted = 3
        let first = other.frame(packets: 1)[0]
        slot.begin(first, layer: 1)
        slot.take(first)
        #expect(slot.sent.last?.picture == last.map { $0.picture + 1 })
        #expect(slot.sent.last?.number == last.map { $0.number + 1 })
    }

    @Test func whatIsOmittedStandsInNoPlace() throws {
        var source = LayeredSource(sequence: 1_000, picture: 50)
        var slot = ThinnedSlot()
        var records: [UInt64: PacketRecord] = [:]
        for packet in source.frame(packets: 2) { slot.take(packet) }
        slot.wanted = 0
        for _ in 0..<60 {
            for packet in source.frame(packets: 3) {
                records[packet.record.sequence] = packet.record
                slot.take(packet)
            }
        }
        for each in slot.sent.suffix(30) {
            let place = try #require(slot.rewriter.find(UInt16(truncatingIfNeeded: each.number)))
            var record = try #require(records[place.sequence])
            let epoch = try #require(slot.rewriter.epoch(of: place, &record))
            #expect(record.sequence &+ epoch.sequenceDelta == each.number)
            #expect((record.counters.pictureID &+ epoch.pictureDelta) & 0x7fff == each.picture)
        }
        // Another source: what was sent before the last omitted packet is not known any more, the rest is.
        let (before, highest) = (slot.sent, slot.rewriter.highest)
        var other = LayeredSource(sequence: 7_000_000, picture: 9)
        slot.wanted = 3
        let first = other.frame(packets: 1)[0]
        slot.begin(first, layer: 1)
        slot.take(first)
        #expect(slot.sent.last?.number == highest + 1 && !slot.isThinned)
        #expect(slot.sent.last?.picture == ((before.last?.picture ?? 0) + 1) & 0x7fff)
        let omitted = try #require(
            (records.keys.filter { sequence in !before.contains { $0.sequence == sequence } }).max())
        for each in before.suffix(100) {
            let place = slot.rewriter.find(UInt16(truncatingIfNeeded: each.number))
            #expect(place?.sequence == (each.sequence > omitted ? each.sequence : nil))
        }
    }

    /// What was a window ago cannot be told from what was omitted.
    @Test func whatIsOldIsNotTold() {
        var source = LayeredSource(sequence: 1_000)
        var slot = ThinnedSlot()
        for packet in source.frame(packets: 1) { slot.take(packet) }
        slot.wanted = 0
        for _ in 0..<4 { for packet in source.frame(packets: 1) { slot.take(packet) } }
        let held = source.frame(packets: 2) + source.frame(packets: 2) + source.frame(packets: 2)
        for packet in source.frame(packets: 1) { slot.take(packet) }
        // None of it came, so that all of it has numbers.
        #expect(slot.sent.last?.number == 102 + 7)
        var late = held.prefix(2).map { slot.take($0) }
        slot.wanted = 3
        for _ in 0..<16 { for packet in source.frame(packets: 1) { slot.take(packet) } }
        // It was not to be sent when it was due.
        late.append(slot.take(held[2]))
        for _ in 0..<300 { for packet in source.frame(packets: 2) { slot.take(packet) } }
        #expect(!slot.isThinned)
        #expect(!late.contains(true))
        #expect(slot.rewriter.find(UInt16(truncatingIfNeeded: slot.rewriter.highest - 500)) != nil)
        #expect(slot.rewriter.find(101) == nil)
    }

    private func check(_ slot: ThinnedSlot, _ source: LayeredSource) {
        var packets: [Int: Int] = [:]
        for each in slot.sent { packets[each.frame, default: 0] += 1 }
        for (frame, count) in packets {
            #expect(count == source.counts[frame], "frame \(frame) has \(count) packets")
            for distance in LayeredSource.step(frame).references {
                #expect(packets[max(frame - distance, 0)] != nil, "frame \(frame) lacks that \(distance) before it")
            }
        }
    }
}
