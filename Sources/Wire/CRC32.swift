/// The CRC-32 of ISO 3309 / ITU-T V.42, which FINGERPRINT uses (RFC 8489 section 14.7).
@frozen
public enum CRC32 {
    @inlinable
    public static func checksum(_ bytes: UnsafeRawPointer, count: Int) -> UInt32 {
        var crc: UInt32 = .max
        for offset in 0..<count {
            crc ^= UInt32(bytes.u8(offset))
            crc = crc >> 4 ^ entry(crc & 0xf)
            crc = crc >> 4 ^ entry(crc & 0xf)
        }
        return ~crc
    }

    /// The remainder of a nibble. A switch, as it becomes a constant table, where a global would cost a `swift_once`.
    @inlinable @inline(__always)
    static func entry(_ nibble: UInt32) -> UInt32 {
        switch nibble {
        case 0: 0x0000_0000
        case 1: 0x1db7_1064
        case 2: 0x3b6e_20c8
        case 3: 0x26d9_30ac
        case 4: 0x76dc_4190
        case 5: 0x6b6b_51f4
        case 6: 0x4db2_6158
        case 7: 0x5005_713c
        case 8: 0xedb8_8320
        case 9: 0xf00f_9344
        case 10: 0xd6d6_a3e8
        case 11: 0xcb61_b38c
        case 12: 0x9b64_c2b0
        case 13: 0x86d3_d2d4
        case 14: 0xa00a_e278
        default: 0xbdbd_f21c
        }
    }
}
