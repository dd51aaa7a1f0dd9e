/// What a UDP payload on the media port is, by its first bytes (RFC 7983 section 7, RFC 5761 section 4).
@frozen
public enum PacketKind: UInt8, Sendable, BitwiseCopyable {
    case channelData, stun, dtls, rtp, rtcp, unknown

    @inlinable
    public init(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= 2, let base = payload.baseAddress else {
            self = .unknown
            return
        }
        switch base.u8(0) {
        case 64...79: self = .channelData
        case 0...3: self = .stun
        case 20...63: self = .dtls
        case 128...191: self = 192...223 ~= base.u8(1) ? .rtcp : .rtp
        default: self = .unknown
        }
    }
}
