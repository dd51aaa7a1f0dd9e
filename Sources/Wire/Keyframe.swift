extension Codec {
    /// Whether a packet is the first from which a decoder can begin.
    ///
    /// The dependency descriptor (the element's value) decides when there is one, as payload bytes may be encrypted end
    /// to end; otherwise the payload does. Always true for audio. Malformed input is never a key frame.
    @inlinable
    public func startsKeyframe(
        _ payload: UnsafeRawBufferPointer, dependencyDescriptor: UnsafeRawBufferPointer? = nil
    ) -> Bool {
        if self == .opus { return true }
        if let dependencyDescriptor, let descriptor = DependencyDescriptor(dependencyDescriptor) {
            return descriptor.startsKeyframe
        }
        return switch self {
        case .opus: true
        case .vp8: VP8Descriptor(payload)?.startsKeyframe ?? false
        case .vp9: VP9Descriptor(payload)?.startsKeyframe ?? false
        case .h264: H264Payload(payload)?.startsKeyframe ?? false
        case .av1: AV1Payload(payload)?.startsKeyframe ?? false
        }
    }
}
