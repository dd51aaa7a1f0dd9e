/// The size in the uncompressed header of a VP9 key frame (VP9 bitstream specification, section 6.2).
@frozen
public struct VP9FrameHeader: Sendable, BitwiseCopyable {
    public let width: Int
    public let height: Int

    /// From the frame's first bytes, behind the payload descriptor; nil when it is no key frame.
    public init?(_ frame: UnsafeRawBufferPointer) {
        var reader = SyntaxReader(frame)
        guard reader.bits(2) == 2, let low = reader.bits(1), let high = reader.bits(1) else { return nil }
        let profile = high << 1 | low
        if profile == 3, reader.flag() != false { return nil }
        // show_existing_frame, frame_type; show_frame and error_resilient_mode; the synchronisation code.
        guard reader.flag() == false, reader.flag() == false, reader.skip(2), reader.bits(24) == 0x49_8342,
            profile < 2 || reader.skip(1), let space = reader.bits(3)
        else { return nil }
        // 7 is RGB, without subsampling.
        let rest = (space == 7 ? 0 : 1) + (profile & 1 == 0 ? 0 : space == 7 ? 1 : 3)
        guard reader.skip(rest), let columns = reader.bits(16), let rows = reader.bits(16) else { return nil }
        width = Int(columns) + 1
        height = Int(rows) + 1
    }
}
