/// The template dependency structure of a dependency descriptor ("RTP Payload Format For AV1", appendix A.8.2): what the
/// template ids of a coded video sequence mean. A view: nothing of it is copied.
@frozen
public struct DependencyStructure: BitwiseCopyable {
    public typealias Indication = TargetIndications.Indication

    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// The id of the first template; those that follow count on from it, modulo 64.
    public let templateIDOffset: UInt8
    /// Templates: 1 ... 64.
    public let templateCount: Int
    /// Decode targets: 1 ... 32.
    public let targetCount: Int
    /// 0 ... 3 and 0 ... 7.
    public let maximumSpatialID: UInt8
    public let maximumTemporalID: UInt8
    /// Chains: 0 ... 32.
    public let chainCount: Int
    /// Where template_dtis begin, and the resolutions (0 without any), bits.
    @usableFromInline let indicationsAt: Int
    @usableFromInline let resolutionsAt: Int

    /// Where the fields of the structure begin: behind the mandatory ones and 5 flags, bits.
    @inlinable static var start: Int { DependencyDescriptor.flagsEnd }
    @inlinable static var layersAt: Int { start &+ 11 }

    /// From a descriptor element's value; nil without a structure, or when it does not fit.
    @inlinable
    public init?(_ descriptor: UnsafeRawBufferPointer) {
        guard let mandatory = DependencyDescriptor(descriptor), mandatory.hasStructure else { return nil }
        var reader = BitReader(descriptor, at: Self.start)
        templateIDOffset = UInt8(truncatingIfNeeded: reader.read(6))
        targetCount = Int(reader.read(5)) &+ 1
        guard let layers = Self.walkLayers(&reader) else { return nil }
        (templateCount, maximumSpatialID, maximumTemporalID) = layers
        indicationsAt = reader.position
        reader.skip(templateCount &* targetCount &* 2)
        Self.skipDifferences(&reader, templates: templateCount)
        chainCount = reader.read(below: targetCount &+ 1)
        if chainCount > 0 {
            for _ in 0..<targetCount { _ = reader.read(below: chainCount) }
            reader.skip(templateCount &* chainCount &* 4)
        }
        if reader.readFlag() {
            resolutionsAt = reader.position
            reader.skip((Int(maximumSpatialID) &+ 1) &* 32)
        } else {
            resolutionsAt = 0
        }
        guard reader.isComplete else { return nil }
        bytes = descriptor
    }

    /// template_layers: how many templates, and the highest spatial and temporal id; nil when there are too many.
    @inlinable
    static func walkLayers(_ reader: inout BitReader) -> (Int, UInt8, UInt8)? {
        var (count, spatial, temporal, maximum): (Int, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
        while true {
            guard count < 64, spatial < 4, temporal < 8, reader.isComplete else { return nil }
            count &+= 1
            maximum = max(maximum, temporal)
            switch reader.read(2) {
            case 1: temporal &+= 1
            case 2: (spatial, temporal) = (spatial &+ 1, 0)
            case 3: return (count, spatial, maximum)
            default: break
            }
        }
    }

    /// template_fdiffs: for each template 4 bits as often as a flag before them says that more follow.
    @inlinable
    static func skipDifferences(_ reader: inout BitReader, templates: Int) {
        for _ in 0..<templates {
            while reader.isComplete, reader.readFlag() { reader.skip(4) }
        }
    }

    /// The place of a template id in the structure; nil when it belongs to another one.
    @inlinable
    public func template(_ id: UInt8) -> Int? {
        let place = Int((id &- templateIDOffset) & 0x3f)
        return place < templateCount ? place : nil
    }

    /// The layer of the frames of the template at `place` (below `templateCount`).
    @inlinable
    public func layer(_ place: Int) -> (spatialID: UInt8, temporalID: UInt8) {
        var reader = BitReader(bytes, at: Self.layersAt)
        var (spatial, temporal): (UInt8, UInt8) = (0, 0)
        for _ in 0..<place {
            switch reader.read(2) {
            case 1: temporal &+= 1
            case 2: (spatial, temporal) = (spatial &+ 1, 0)
            default: break
            }
        }
        return (spatial, temporal)
    }

    /// What the frames of the template at `place` mean for a decode target (below `targetCount`).
    @inlinable
    public func indication(_ place: Int, target: Int) -> Indication {
        var reader = BitReader(bytes, at: indicationsAt &+ (place &* targetCount &+ target) &* 2)
        return Indication(rawValue: UInt8(truncatingIfNeeded: reader.read(2))) ?? .required
    }

    /// Calls `body` with each template in turn: its place, its layer, and what its frames mean for the decode targets.
    @inlinable
    public func forEachTemplate(
        _ body: (_ place: Int, _ spatialID: UInt8, _ temporalID: UInt8, _ indications: TargetIndications) -> Void
    ) {
        var layers = BitReader(bytes, at: Self.layersAt)
        var indications = BitReader(bytes, at: indicationsAt)
        var (spatial, temporal): (UInt8, UInt8) = (0, 0)
        for place in 0..<templateCount {
            body(place, spatial, temporal, TargetIndications(&indications, count: targetCount))
            switch layers.read(2) {
            case 1: temporal &+= 1
            case 2: (spatial, temporal) = (spatial &+ 1, 0)
            default: break
            }
        }
    }

    /// Pixels of a spatial layer (at most `maximumSpatialID`); nil when the structure tells none.
    @inlinable
    public func size(spatialID: UInt8) -> (width: Int, height: Int)? {
        guard resolutionsAt != 0 else { return nil }
        var reader = BitReader(bytes, at: resolutionsAt &+ Int(spatialID) &* 32)
        return (Int(reader.read(16)) &+ 1, Int(reader.read(16)) &+ 1)
    }
}
