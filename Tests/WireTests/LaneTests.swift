import TestSupport
import Testing
import Wire

@Suite struct LaneNames {
    @Test func partsFromTheTop() {
        let name = LaneName(part: 2, worker: 9, index: 0x1234, generation: 0x2ab)
        #expect(name.raw == 0b10_1001_1010101011_0001001000110100)
        #expect(name.part == 2 && name.worker == 9 && name.index == 0x1234 && name.generation == 0x2ab)
        #expect(name.layer(0).raw == 0x26ab_1234 && name.layer(1).part == 1 && name.layer(1).index == 0x1234)
        #expect(LaneName(raw: name.raw) == name)
    }

    @Test func whatDoesNotFitIsCutOff() {
        let name = LaneName(part: 7, worker: 0x1f, index: 0x1_0005, generation: 0xff_fc01)
        #expect(name.part == LaneName.lanePart && name.worker == 15 && name.index == 5 && name.generation == 1)
        #expect(name.layer(6).part == 2)
    }

    @Test func anyWordIsAName() {
        var random = SplitMix(seed: 1)
        for _ in 0..<1_000 {
            let raw = UInt32.random(in: 0 ... .max, using: &random)
            let name = LaneName(raw: raw)
            let same = LaneName(part: name.part, worker: name.worker, index: name.index, generation: name.generation)
            #expect(same.raw == raw)
        }
    }
}

@Suite struct LaneMessages {
    private let lane = LaneName(raw: 0xc000_0001)
    private let first = LaneName(raw: 0x0401_0002)
    private let second = LaneName(raw: 0x0801_0003)

    @Test func wanted() throws {
        let made = RTCPTests.compound { writer in
            let message = writer.addLaneMessage(.wanted, lane: lane, count: 2)
            message?.set(0, track: first, layers: 5)
            message?.set(1, track: second, layers: 0)
            // Behind what was reserved.
            message?.set(2, track: second, layers: 7)
        }
        #expect(
            made
                == bytes(
                    """
                    81cc0006 c0000001 4e544c4e
                    04010002 00000005
                    08010003 00000000
                    """))
        try RTCPTests.single(made) { packet in
            let message = try #require(LaneMessage(packet))
            #expect(message.kind == .wanted && message.count == 2)
            #expect(message.track(0) == first && message.layers(0) == 5)
            #expect(message.track(1) == second && message.layers(1) == 0)
        }
    }

    @Test func sent() throws {
        let made = RTCPTests.compound { writer in
            writer.addLaneMessage(.sent, lane: lane, count: 1)?
                .set(0, track: first, layers: 3, choices: 0x0102_0304_0506_0708)
        }
        #expect(made == bytes("82cc0006 c0000001 4e544c4e 04010002 00000003 0102030405060708"))
        try RTCPTests.single(made) { packet in
            let message = try #require(LaneMessage(packet))
            #expect(message.kind == .sent && message.count == 1 && message.track(0) == first)
            #expect(message.layers(0) == 3 && message.choices(0) == 0x0102_0304_0506_0708)
        }
    }

    @Test(arguments: [
        "81cc0001 c0000001", "81cc0002 c0000001 4e544c4f", "80cc0002 c0000001 4e544c4e", "83cc0002 c0000001 4e544c4e",
        "81cd0002 c0000001 4e544c4e", "81cc0003 c0000001 4e544c4e 04010002",
        "82cc0004 c0000001 4e544c4e 04010002 00000003",
    ])
    func otherThings(hex: String) throws {
        try RTCPTests.single(bytes(hex)) { #expect(LaneMessage($0) == nil) }
    }

    @Test func anEmptyOneHasNoEntries() throws {
        try RTCPTests.single(bytes("82cc0002 c0000001 4e544c4e")) { #expect(LaneMessage($0)?.count == 0) }
    }

    @Test func roomForThoseThatFit() {
        let small = RTCPTests.compound(12 + 16 * LaneMessage.mostEntries) { writer in
            #expect(writer.addLaneMessage(.sent, lane: lane, count: LaneMessage.mostEntries + 1) == nil)
            #expect(writer.addLaneMessage(.sent, lane: lane, count: LaneMessage.mostEntries) != nil)
        }
        #expect(small.count == 12 + 16 * LaneMessage.mostEntries)
    }
}
