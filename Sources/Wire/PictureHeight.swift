extension Codec {
    /// The height of the pictures that begin with this payload, in pixels, as the encoder says it in the payload; nil
    /// where it does not, and for audio. Layers are told apart by it, as their names say nothing (RFC 8853 section 5.1).
    public func pictureHeight(_ payload: UnsafeRawBufferPointer) -> UInt16? {
        let height: Int? =
            switch self {
            case .opus: nil
            case .vp8: VP8Descriptor(payload)?.size?.height
            case .vp9: VP9Descriptor(payload)?.pictureHeight(in: payload)
            case .h264: H264Payload.parameterSet(in: payload).flatMap { H264ParameterSet($0) }?.height
            case .av1: AV1Payload(payload)?.sequenceHeader.flatMap { AV1SequenceHeader($0) }?.height
            }
        return height.flatMap { UInt16(exactly: $0) }
    }
}

extension VP9Descriptor {
    /// Of the highest spatial layer that the structure names, else of the frame that starts here.
    fileprivate func pictureHeight(in payload: UnsafeRawBufferPointer) -> Int? {
        if height != 0 { return height }
        guard startsKeyframe else { return nil }
        return VP9FrameHeader(payload.part(length, payload.count &- length))?.height
    }
}
