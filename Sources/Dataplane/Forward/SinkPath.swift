import Wire

/// What a Slot's packets need of its Session, looked up once for a run of packets.
struct SinkPath: BitwiseCopyable {
    let session: UnsafeMutablePointer<Session>
    let transform: SRTPTransform
    let template: UnsafePointer<FrameTemplate>
    /// Bytes of the headers before RTP's.
    let headerOffset: Int
    /// All header extension ids but the dependency descriptor's have the one-byte form.
    let hasShortIDs: Bool
}
