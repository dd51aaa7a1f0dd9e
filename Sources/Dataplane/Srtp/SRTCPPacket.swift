import Wire

/// The parts of an SRTCP packet.
///
/// AES-CM (RFC 3711 section 3.4): header, ciphertext, E and index, tag.
/// AES-GCM (RFC 7714 section 9): header, ciphertext, tag, E and index.
struct SRTCPPacket: BitwiseCopyable {
    /// The first header and its SSRC stay in clear.
    static let clearLength = 8
    private static let encrypted: UInt32 = 0x8000_0000

    let transform: SRTPTransform
    let packet: UnsafeMutablePointer<UInt8>
    /// Without tag, E and index, bytes.
    let plainLength: Int
    /// 31 bits.
    let index: UInt32

    /// A packet to seal.
    init(transform: SRTPTransform, packet: UnsafeMutablePointer<UInt8>, plainLength: Int, index: UInt32) {
        self.transform = transform
        self.packet = packet
        self.plainLength = plainLength
        self.index = index
    }

    /// A packet to open. Nil when it is too short, or says that it is not encrypted: every profile that we negotiate
    /// encrypts.
    init?(transform: SRTPTransform, packet: UnsafeMutablePointer<UInt8>, sealedLength: Int) {
        self.transform = transform
        self.packet = packet
        plainLength = sealedLength &- transform.rtcpTrailerLength
        guard plainLength >= Self.clearLength else { return nil }
        let isGcm = transform.profile != .aes128CmHmacSha1
        let offset = isGcm ? plainLength &+ 16 : plainLength
        let word = UInt32(bigEndian: UnsafeRawPointer(packet + offset).loadUnaligned(as: UInt32.self))
        guard word & Self.encrypted != 0 else { return nil }
        index = word & ~Self.encrypted
    }

    /// From the header, host byte order.
    var ssrc: UInt32 { UInt32(bigEndian: UnsafeRawPointer(packet + 4).loadUnaligned(as: UInt32.self)) }

    var payload: UnsafeMutablePointer<UInt8> { packet + Self.clearLength }

    var payloadLength: Int { plainLength &- Self.clearLength }

    /// E and index as they stand in the packet.
    var trailer: UInt32 { (index | Self.encrypted).bigEndian }
}
