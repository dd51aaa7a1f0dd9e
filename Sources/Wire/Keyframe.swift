extension Codec {
    /// Whether a packet is the first from which a decoder can begin, by its payload; where there is a dependency descriptor,
    /// that decides instead (`DependencyStructure`), as payload bytes may be encrypted end to end.
    ///
    /// Always true for audio. Malformed input is never a key frame.
    @inlinable
    public func startsKeyframe(_ payload: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .opus: true
        case .vp8: VP8Descriptor(payload)?.startsKeyframe ?? false
        case .vp9: VP9Descriptor(payload)?.startsKeyframe ?? false
        case .h264: H264Payload(payload)?.startsKeyframe ?? false
        case .av1: AV1Payload(payload)?.startsKeyframe ?? false
        }
    }
}
