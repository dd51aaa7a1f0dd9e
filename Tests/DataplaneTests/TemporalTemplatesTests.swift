import Testing
import Wire

@testable import Dataplane

@Suite struct TemporalTemplatesTests {
    /// L1T3 as the specification has it (appendix A.10): template ids 61, 62, 63, 0, 1.
    private static let threeTemporalLayers = "c0123487a214eaa860414d141020842704ff02cf"
    /// Three spatial and three temporal layers as libwebrtc wrote it.
    private static let threeByThree = """
        c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac128250
        3157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d
        """

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func templates(_ hex: String) throws -> TemporalTemplates {
        try bytes(hex).withUnsafeBytes { TemporalTemplates(try #require(DependencyStructure($0))) }
    }

    private func layer(_ hex: String, by templates: TemporalTemplates) throws -> TemporalLayer {
        try bytes(hex).withUnsafeBytes { templates.layer(of: try #require(DependencyDescriptor($0)), $0) }
    }

    @Test func aTemplateTellsTheLayerAndWhoGoesUp() throws {
        let templates = try templates(Self.threeTemporalLayers)
        #expect(templates.first == 61 && templates.end & 0x3f == 2)
        // A frame of the lowest layer is a switch of all targets.
        let lowest = try layer("be 1235", by: templates)
        #expect(lowest.id == 0)
        #expect((1...3).map { lowest.limit(from: 0, upTo: $0) } == [1, 2, 3])
        // Behind its start, nobody goes up.
        #expect(try layer("3e 1235", by: templates).limit(from: 0, upTo: 3) == 0)
        // Of the second layer: for those who get it.
        let second = try layer("bf 1235", by: templates)
        #expect(second.id == 1 && second.limit(from: 0, upTo: 3) == 0 && second.limit(from: 1, upTo: 3) == 3)
        #expect(try ["80 1235", "81 1235"].map { try layer($0, by: templates).id } == [2, 2])
        // Of another structure.
        #expect(try layer("82 1235", by: templates).id == 0)
    }

    @Test func aFrameMayTellForItself() throws {
        let templates = try templates(Self.threeTemporalLayers)
        // A switch of the first target alone, which is libwebrtc's second frame of the lowest layer: SRR.
        #expect(try layer("be 1235 25e0", by: templates).limit(from: 0, upTo: 3) == 0)
        // Of all, behind a mask of targets.
        #expect(try layer("be 1235 67a8", by: templates).limit(from: 0, upTo: 3) == 3)
        // Cut off.
        #expect(try layer("be 1235 25", by: templates).limit(from: 0, upTo: 3) == 0)
    }

    @Test func aSwitchIsOfAllSpatialLayers() throws {
        let templates = try templates(Self.threeByThree)
        var ids: Set<UInt8> = []
        for id in 0..<15 as Range<UInt8> {
            let layer = try layer("8\(String(id, radix: 16)) 0173", by: templates)
            ids.insert(layer.id)
            let structure = bytes(Self.threeByThree)
            structure.withUnsafeBytes { raw in
                guard let structure = DependencyStructure(raw) else { return }
                // The targets 7 and 8 have two and all temporal layers of the largest.
                for (limit, target) in [(1, 7), (3, 8)] as [(UInt8, Int)] where layer.id < limit {
                    let isSwitch = structure.indication(Int(id), target: target) == .switchPoint
                    #expect((layer.limit(from: layer.id, upTo: limit) == limit) == isSwitch, "\(id), \(limit)")
                }
            }
        }
        #expect(ids == [0, 1, 2])
    }

    @Test func layerSyncLeadsUpFromTheLowest() {
        var layer = TemporalLayer(2)
        layer.setSync()
        #expect((0...3).map { layer.limit(from: 0, upTo: $0) } == [0, 0, 2, 3])
        #expect(TemporalLayer(7).id == 3)
    }
}

@Suite struct LayerRateTests {
    @Test func theRatesOfTemporalLayersAddUp() {
        var rate = LayerRate()
        for window in 0..<12 as Range<UInt64> {
            for frame in 0..<16 {
                let id = [0, 2, 1, 2][frame % 4] as UInt8
                rate.note(payload: [960, 460, 460][Int(id)], of: TemporalLayer(id))
                if window == 0, frame == 0 { rate.tick(now: 1) }
            }
            rate.tick(now: 1 + (window + 1) * 500_000_000)
        }
        // 4 frames of 1000 bytes, 4 and 8 of 500.
        let all = rate.bitsPerSecond
        #expect(all == 160_000 && rate.isMeasured)
        #expect((0...3).map { rate.part(upTo: $0, of: all) } == [64_000, 96_000, 160_000, 160_000])
        #expect(rate.part(upTo: 0, of: 1_000_000) == 400_000)
        // Nothing comes here any more: the parts stay as they were.
        rate.tick(now: 7_000_000_000)
        rate.note(told: 320)
        #expect(
            !rate.isMeasured
                && (0...3).map { rate.part(upTo: $0, of: 320_000) } == [128_000, 192_000, 320_000, 320_000])
    }

    @Test func whatIsOnlyToldHasNoTemporalLayers() {
        var rate = LayerRate()
        #expect(rate.part(upTo: 0, of: 150_000) == 150_000)
        rate.note(told: 200)
        #expect(rate.bitsPerSecond == 200_000 && rate.part(upTo: 0, of: 200_000) == 200_000)
    }
}
