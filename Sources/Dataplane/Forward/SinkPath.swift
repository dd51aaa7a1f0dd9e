import Wire

/// What a Slot's packets need of its Session, looked up once for a run of packets.
struct SinkPath: BitwiseCopyable {
    let session: UnsafeMutablePointer<Session>
    let transform: SRTPTransform
    let template: UnsafePointer<FrameTemplate>
    /// Bytes of the headers before RTP's.
    let headerOffset: Int
    /// Bytes of the longest packet behind them that the port takes.
    let maximumLength: Int
    /// Of the dependency descriptor; 0 where the receiver gets none.
    let descriptorID: UInt8
    /// Nothing but small elements goes into the header extension, apart from a dependency descriptor.
    var isShort: Bool
    let slot: UnsafePointer<Slot>
}
