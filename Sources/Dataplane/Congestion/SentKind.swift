/// What a packet was sent for.
public enum SentKind: UInt8, Sendable, BitwiseCopyable {
    case media, retransmission, padding, probe
}
