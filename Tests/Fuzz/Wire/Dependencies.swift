import Wire

/// Dependency descriptors with their structures, and the shifting of their numbers in place.
func fuzzDependencies(_ input: UnsafeRawBufferPointer) {
    guard let descriptor = DependencyDescriptor(input) else { return precondition(input.count < 3) }
    let structure = DependencyStructure(input)
    precondition(structure == nil || descriptor.hasStructure)
    if let structure { examine(structure) }
    withCopy(input) { copy in
        DependencyDescriptor.shift(copy.baseAddress!, count: copy.count, frames: 0x1234, templates: 17)
        let shifted = DependencyDescriptor(UnsafeRawBufferPointer(copy))!
        precondition(shifted.frameNumber == descriptor.frameNumber &+ 0x1234)
        precondition(shifted.templateID == (descriptor.templateID &+ 17) & 63)
        let other = DependencyStructure(UnsafeRawBufferPointer(copy))
        precondition((other == nil) == (structure == nil))
        precondition(other?.template(shifted.templateID) == structure?.template(descriptor.templateID))
        DependencyDescriptor.shift(copy.baseAddress!, count: copy.count, frames: 0 &- 0x1234, templates: 64 - 17)
        precondition(copy.elementsEqual(input))
    }
}

private func examine(_ structure: DependencyStructure) {
    precondition((1...64).contains(structure.templateCount) && (1...32).contains(structure.targetCount))
    precondition(structure.chainCount <= structure.targetCount)
    for place in 0..<structure.templateCount {
        let layer = structure.layer(place)
        precondition(layer.spatialID <= structure.maximumSpatialID && layer.temporalID <= structure.maximumTemporalID)
        precondition(structure.template(structure.templateIDOffset &+ UInt8(place)) == place)
        for target in 0..<structure.targetCount { use(structure.indication(place, target: target).rawValue) }
    }
    for layer in 0...structure.maximumSpatialID { use(structure.size(spatialID: layer)?.height ?? 0) }
}
