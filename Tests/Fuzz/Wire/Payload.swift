import Wire

/// Payload descriptors of all codecs, and the rewriting of VP8's in place.
func fuzzPayload(_ input: UnsafeRawBufferPointer) {
    for codec in Codec.allCases {
        use(codec.startsKeyframe(input))
        use(codec.pictureHeight(input) ?? 0)
    }
    if let vp8 = VP8Descriptor(input) {
        use(vp8.keyIndex ?? vp8.temporalID ?? 0)
        use(vp8.size?.height ?? 0)
        use(vp8.isLayerSync)
        withCopy(input) { copy in
            vp8.rewrite(in: copy.baseAddress!, pictureID: 0x1234, tl0PictureIndex: 99)
            let other = VP8Descriptor(UnsafeRawBufferPointer(copy))!
            precondition(other.length == vp8.length && other.hasLongPictureID == vp8.hasLongPictureID)
            precondition(other.pictureID == vp8.pictureID.map { _ in vp8.hasLongPictureID ? 0x1234 : 0x34 })
            precondition(other.tl0PictureIndex == vp8.tl0PictureIndex.map { _ in 99 })
        }
    }
    var units = H264Units(input)
    while let unit = units.next() {
        precondition(!unit.isEmpty)
        use(unit)
        use(H264ParameterSet(unit).map { Int($0.chromaFormat) + $0.width } ?? 0)
    }
    use(H264Fragment(input)?.bytes)
    use(AV1Unit(input)?.body)
    if var elements = AV1Payload(input)?.elements {
        while let element = elements.next() { use(element) }
        use(elements.isComplete)
    }
    if let vp9 = VP9Descriptor(input) {
        use(vp9.pictureID ?? 0)
        use(vp9.spatialID ?? vp9.temporalID ?? vp9.tl0PictureIndex ?? 0)
        use(vp9.width ^ vp9.height)
        precondition(vp9.length < input.count)
    }
}
