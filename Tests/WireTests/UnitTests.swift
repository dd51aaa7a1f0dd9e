import Testing
import Wire

/// The units inside payloads: NAL units and fragments of H.264, OBUs of AV1.
@Suite struct UnitTests {
    private static func units(_ text: String) -> (units: [[UInt8]], isComplete: Bool) {
        with(text) { raw in
            var units = H264Units(raw)
            var found: [[UInt8]] = []
            while let unit = units.next() { found.append(Array(unit)) }
            return (found, units.isComplete)
        }
    }

    @Test func aSingleUnitIsItself() {
        let found = Self.units("65 aabb")
        #expect(found.units == [bytes("65 aabb")] && found.isComplete)
    }

    /// RFC 6184 section 5.7.1, figure 7.
    @Test func anAggregateHoldsUnitsBehindTheirSizes() {
        let found = Self.units("78 0003 6742aa 0001 68")
        #expect(found.units == [bytes("6742aa"), bytes("68")] && found.isComplete)
    }

    @Test(arguments: ["78 0003 6742aa 0002 68", "78 0003 6742aa 0000", "78 0003 6742aa 00", "78 0005 6742"])
    func anAggregateWhoseSizesDoNotHoldIsNotComplete(_ text: String) { #expect(!Self.units(text).isComplete) }

    @Test(arguments: ["", "7c 85 aa", "79 0000 0001 65", "7f"]) func otherPayloadsHoldNoUnits(_ text: String) {
        #expect(Self.units(text).units.isEmpty)
    }

    /// RFC 6184 section 5.8, figures 14 to 16.
    @Test func aFragmentHasTheHeaderOfItsUnit() throws {
        try with("7c 85 aabb") { raw in
            let first = try #require(H264Fragment(raw))
            #expect(first.isFirst && !first.isLast && first.header == 0x65 && Array(first.bytes) == bytes("aabb"))
        }
        with("3c 41 cc") { raw in #expect(H264Fragment(raw)?.isLast == true && H264Fragment(raw)?.header == 0x21) }
        for text in ["", "7c 85", "7c c5 aa", "7d 85 aa", "65 85 aa"] {
            with(text) { #expect(H264Fragment($0) == nil) }
        }
    }

    /// What x264 writes for 1920 x 1080 in High, and a baseline set of 320 x 180.
    @Test(arguments: [
        ("67 640028 acd940780227e5c05a808080a0000003002000000781e30632c0", 1_920, 1_080),
        ("67 42c00dda05067e7c0440000003004000000f23c50aa8", 320, 180),
    ])
    func aParameterSetSaysTheWidth(_ text: String, _ width: Int, _ height: Int) throws {
        try with(text) { raw in
            let set = try #require(H264ParameterSet(raw))
            #expect(set.width == width && set.height == height)
            #expect(set.chromaFormat == 1 && set.lumaDepth == 0 && set.chromaDepth == 0)
        }
    }

    private static func elements(_ text: String) -> (elements: [[UInt8]], isComplete: Bool)? {
        with(text) { raw in
            guard let payload = AV1Payload(raw) else { return nil }
            var elements = payload.elements
            var found: [[UInt8]] = []
            while let element = elements.next() { found.append(Array(element)) }
            return (found, elements.isComplete)
        }
    }

    /// "RTP Payload Format For AV1" section 4.4: W = 0 has a length before each element; else the last has none.
    @Test(arguments: [
        ("00 02 1200 01 30", ["1200", "30"]), ("20 02 1200 30aa", ["1200", "30aa"]), ("10 30aabb", ["30aabb"]),
        ("00 00 01 30", ["", "30"]),
    ])
    func elementsStandBehindTheirLengths(_ text: String, _ elements: [String]) throws {
        let found = try #require(Self.elements(text))
        #expect(found.elements == elements.map { bytes($0) } && found.isComplete)
    }

    @Test(arguments: ["00 03 1200", "20 05 1200", "30 01 12 30", "00 ffffffff01 12", "00 80"])
    func elementsThatDoNotFitAreNotComplete(_ text: String) throws {
        #expect(try #require(Self.elements(text)).isComplete == false)
    }

    @Test func aUnitIsReadWithItsSizeAndWithout() throws {
        try with("32 02 aabb") { raw in
            let unit = try #require(AV1Unit(raw))
            #expect(unit.type == 6 && Array(unit.header) == [0x32] && Array(unit.body) == bytes("aabb"))
        }
        try with("34 20 aabb") { raw in
            let unit = try #require(AV1Unit(raw))
            #expect(unit.type == 6 && unit.header.count == 2 && Array(unit.body) == bytes("aabb"))
        }
        for text in ["", "b0 aa", "34", "32", "32 03 aabb", "32 80808080 01"] {
            with(text) { #expect(AV1Unit($0) == nil) }
        }
    }
}
