import Wire

/// How a packet goes over a Lane: RTP (RFC 3550) with ids that are the same everywhere, so that nothing is negotiated.
enum LaneFormat {
    static let profile = SRTPProfile.aeadAes128Gcm
    /// Header extension elements (RFC 8285): the Lane's own sequence number over all of its packets, 2 bytes, ...
    static let sequenceID: UInt8 = 1
    /// ... and what publishers say.
    static let audioLevelID: UInt8 = 2
    static let orientationID: UInt8 = 3
    static let descriptorID: UInt8 = 4

    private static let firstType: UInt8 = 96
    /// Bit of the payload type: the phase of the key.
    private static let phaseBit: UInt8 = 8

    static func payloadType(_ codec: Codec, phase: UInt8) -> UInt8 {
        firstType &+ codec.rawValue &+ (phase & 1) &* phaseBit
    }

    /// Nil for a type that is not ours.
    static func phase(ofType type: UInt8, codec: Codec) -> Int? {
        let rest = type &- firstType
        guard rest < 2 &* phaseBit, rest & (phaseBit &- 1) == codec.rawValue else { return nil }
        return rest >= phaseBit ? 1 : 0
    }

    /// SRTCP indices (RFC 3711 section 3.4) carry the phase in their highest bit, 30; the rest counts.
    static let indexMask: UInt32 = 0x3fff_ffff

    static func rtcpIndex(_ count: UInt32, phase: UInt8) -> UInt32 { count & indexMask | UInt32(phase & 1) << 30 }

    /// The phase by which a sealed compound says that it was sealed; it ends with E flag and index (RFC 7714 section 9).
    static func phase(ofRTCP bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 4, let base = bytes.baseAddress else { return nil }
        return Int(base.be32(bytes.count &- 4) >> 30 & 1)
    }
}
