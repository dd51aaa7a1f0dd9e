import Testing
import Wire

@Suite struct DependencyDescriptorTests {
    /// A keyframe of a sender with three spatial and three temporal layers as libwebrtc wrote it.
    static let captured = """
        c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac128250
        3157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d
        """
    /// L1T3 as the specification has it (appendix A.10): template ids 61, 62, 63, 0, 1, and 1280 x 720.
    static let threeTemporalLayers = "c0123487a214eaa860414d141020842704ff02cf"
    /// L1T2 without resolutions: template ids 7 ... 9.
    static let twoTemporalLayers = "c0123480e11ea851410108"

    @Test func mandatoryFields() throws {
        try with("c5 1234") { raw in
            let descriptor = try #require(DependencyDescriptor(raw))
            #expect(descriptor.startsFrame && descriptor.endsFrame && descriptor.templateID == 5)
            #expect(descriptor.frameNumber == 0x1234 && !descriptor.hasStructure && !descriptor.startsKeyframe)
        }
        with("80 0001 80 00") { #expect(DependencyDescriptor($0)?.startsKeyframe == true) }
        with("00 0001 80 00") { #expect(DependencyDescriptor($0)?.startsKeyframe == false) }
        with("80 0001 7f 00") { #expect(DependencyDescriptor($0)?.hasStructure == false) }
        with("80 00") { #expect(DependencyDescriptor($0) == nil) }
    }

    @Test func structureOfThreeSpatialLayers() throws {
        try with(Self.captured) { raw in
            let structure = try #require(DependencyStructure(raw))
            #expect(structure.templateIDOffset == 0 && structure.templateCount == 15 && structure.targetCount == 9)
            #expect(structure.maximumSpatialID == 2 && structure.maximumTemporalID == 2 && structure.chainCount == 3)
            let layers = (0..<15).map { place in structure.layer(place) }
            #expect(layers.map { Int($0.spatialID) } == [0, 1, 2].flatMap { [Int](repeating: $0, count: 5) })
            #expect(layers.map { Int($0.temporalID) } == [0, 1, 2].flatMap { _ in [0, 0, 1, 2, 2] })
            let first = (0..<9).map { structure.indication(0, target: $0) }
            #expect(first == [.switchPoint, .switchPoint, .switchPoint] + Array(repeating: .required, count: 6))
            let third = (0..<9).map { structure.indication(2, target: $0) }
            #expect(third.prefix(3) == [.notPresent, .discardable, .switchPoint])
            let sizes = (0..<3).compactMap { structure.size(spatialID: UInt8($0)) }
            #expect(sizes.map(\.width) == [120, 240, 480] && sizes.map(\.height) == [67, 135, 270])
        }
    }

    @Test func structureOfThreeTemporalLayers() throws {
        try with(Self.threeTemporalLayers) { raw in
            let structure = try #require(DependencyStructure(raw))
            #expect(structure.templateCount == 5 && structure.targetCount == 3 && structure.chainCount == 1)
            #expect((0..<5).map { structure.layer($0).temporalID } == [0, 0, 1, 2, 2])
            #expect((0..<3).map { structure.indication(2, target: $0) } == [.notPresent, .discardable, .switchPoint])
            #expect((0..<3).map { structure.indication(4, target: $0) } == [.notPresent, .notPresent, .discardable])
            #expect(structure.size(spatialID: 0)?.height == 720)
            // Ids go round at 64.
            #expect([61, 63, 0, 1].map { structure.template($0) } == [0, 2, 3, 4])
            #expect(structure.template(2) == nil && structure.template(60) == nil)
        }
    }

    @Test func structureWithoutResolutions() throws {
        try with(Self.twoTemporalLayers) { raw in
            let structure = try #require(DependencyStructure(raw))
            #expect(structure.templateIDOffset == 7 && structure.templateCount == 3 && structure.targetCount == 2)
            #expect(structure.size(spatialID: 0) == nil)
        }
    }

    @Test func aStructureThatIsCutOffIsNone() {
        for text in [Self.captured, Self.threeTemporalLayers, Self.twoTemporalLayers] {
            let whole = bytes(text)
            for count in 0..<whole.count - 1 {
                with(Array(whole.prefix(count))) { #expect(DependencyStructure($0) == nil, "\(count) bytes") }
            }
        }
        // Templates without end, a fifth spatial layer, a ninth temporal layer.
        with("800001 8000" + String(repeating: "00", count: 40)) { #expect(DependencyStructure($0) == nil) }
        with("800001 8000 aaaf" + String(repeating: "00", count: 40)) { #expect(DependencyStructure($0) == nil) }
        with("800001 8000 55557f" + String(repeating: "00", count: 40)) { #expect(DependencyStructure($0) == nil) }
    }

    @Test(arguments: [UInt16(0), 1, 0xedcc, 0xffff], [UInt8(0), 1, 3, 63])
    func shifted(frames: UInt16, templates: UInt8) throws {
        for text in [
            Self.captured, Self.threeTemporalLayers, Self.twoTemporalLayers, "7d1234", "7d123440fc", "7d12347f",
        ] {
            let before = bytes(text)
            var after = before
            after.withUnsafeMutableBytes {
                DependencyDescriptor.shift($0.baseAddress!, count: $0.count, frames: frames, templates: templates)
            }
            let (old, new) = try (
                with(before) { try #require(DependencyDescriptor($0)) },
                with(after) { try #require(DependencyDescriptor($0)) }
            )
            #expect(new.frameNumber == old.frameNumber &+ frames)
            #expect(new.templateID == (old.templateID &+ templates) & 63)
            #expect(new.startsFrame == old.startsFrame && new.endsFrame == old.endsFrame)
            with(before) { before in
                with(after) { after in
                    guard let old = DependencyStructure(before), let new = DependencyStructure(after) else { return }
                    #expect(new.templateIDOffset == (old.templateIDOffset &+ templates) & 63)
                    #expect(new.targetCount == old.targetCount && new.templateCount == old.templateCount)
                }
            }
            #expect(Array(after.dropFirst(5)) == Array(before.dropFirst(5)))
            if text.hasPrefix("7d") { #expect(Array(after.dropFirst(3)) == Array(before.dropFirst(3))) }
        }
    }
}

@Suite struct BitReaderTests {
    /// The AV1 specification, section 4.10.7: ns(5) has the codes 00, 01, 10, 110, 111.
    @Test func nonSymmetricNumbers() {
        with("1b 80") { raw in
            var reader = BitReader(raw)
            #expect((0..<4).map { _ in reader.read(below: 5) } == [0, 1, 2, 4])
            #expect(reader.isComplete && reader.read(7) == 0 && reader.isComplete)
        }
        with("") { raw in
            var reader = BitReader(raw)
            #expect(reader.read(below: 1) == 0 && reader.isComplete)
            #expect(reader.read(3) == 0 && !reader.isComplete)
        }
    }
}
