import Wire

/// The templates of a Layer's latest dependency structure, as far as the worker reads them: which ids there are, and what each
/// says of temporal layers.
struct TemporalTemplates: BitwiseCopyable {
    /// Of a structure with more nothing is read but the ids: 3 spatial with 3 temporal layers have 15 or so.
    private static let mostRead = 32

    /// The ids: the first, and the one behind the last; modulo 64.
    private(set) var first: UInt8 = 0
    private(set) var end: UInt8 = 0
    private var count: UInt8 = 0
    private var targetCount: UInt8 = 0
    /// The decode target with all spatial layers and the temporal ones up to 1, 2 and 3.
    private var targets = InlineArray<3, UInt8>(repeating: 0)
    private var layers = InlineArray<32, TemporalLayer>(repeating: .lowest)

    init() {}

    init(_ structure: DependencyStructure) {
        first = structure.templateIDOffset
        end = first &+ UInt8(truncatingIfNeeded: structure.templateCount)
        guard structure.templateCount <= Self.mostRead else { return }
        count = UInt8(structure.templateCount)
        targetCount = UInt8(structure.targetCount)
        findTargets(structure)
        var read = layers
        structure.forEachTemplate { place, _, temporalID, indications in
            read[place] = layer(temporalID, indications)
        }
        layers = read
    }

    /// A target has the layers of the templates that are present in it.
    private mutating func findTargets(_ structure: DependencyStructure) {
        var spatial = InlineArray<32, UInt8>(repeating: 0)
        var temporal = InlineArray<32, UInt8>(repeating: 0)
        structure.forEachTemplate { _, spatialID, temporalID, indications in
            for target in 0..<structure.targetCount where indications[target] != .notPresent {
                spatial[target] = max(spatial[target], spatialID)
                temporal[target] = max(temporal[target], min(temporalID, TemporalLayer.highest))
            }
        }
        for limit in 1...TemporalLayer.highest {
            // The smallest that has them all; where there are fewer layers, that with all of them.
            var best = 0
            for target in 1..<max(structure.targetCount, 1) {
                let (old, new) = (temporal[best], temporal[target])
                let isNearer = old < limit ? new > old : new >= limit && new < old
                if isNearer || new == old && spatial[target] > spatial[best] { best = target }
            }
            targets[Int(limit) &- 1] = UInt8(truncatingIfNeeded: best)
        }
    }

    /// What indications say of a frame's start.
    private func layer(_ temporalID: UInt8, _ indications: TargetIndications) -> TemporalLayer {
        var layer = TemporalLayer(temporalID)
        for limit in 1...TemporalLayer.highest
        where indications[Int(targets[Int(limit) &- 1])] == .switchPoint { layer.setSwitch(to: limit) }
        return layer
    }

    /// Of a frame with this descriptor, which lies at `value`; the lowest where its template is not known.
    func layer(of descriptor: DependencyDescriptor, _ value: UnsafeRawBufferPointer) -> TemporalLayer {
        let place = (descriptor.templateID &- first) & (DependencyDescriptor.templateIDs &- 1)
        guard place < count else { return .lowest }
        let layer = layers[Int(place)]
        guard descriptor.startsFrame else { return layer.continued }
        guard descriptor.hasIndications else { return layer }
        return descriptor.indications(in: value, targetCount: Int(targetCount)).map { self.layer(layer.id, $0) }
            ?? layer.continued
    }
}
