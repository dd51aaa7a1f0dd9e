/// The fields of a packet's RTP header.
struct PacketHeading: BitwiseCopyable {
    var marker: Bool
    var payloadType: UInt8
    /// With roll-overs.
    var number: UInt64
    var timestamp: UInt32
    var ssrc: UInt32
    /// Whether it may differ from what was sent under this number before: see `writeHeader`.
    var mayVary: Bool
    /// Of the frame.
    var priority: FramePriority
    var descriptorDelta: Rewriter.DescriptorDelta
    var kind = SentKind.media
}
