/// The one's complement checksum of IP, UDP and ICMP (RFC 1071). Sums are in host order, folded to 16 bits where
/// the type is UInt16.
@frozen
public enum InternetChecksum {
    /// The folded one's complement sum of `count` bytes; an odd last byte counts as the high byte of a word.
    @inlinable
    public static func sum(_ bytes: UnsafeRawPointer, count: Int) -> UInt32 {
        // Words are added in the machine's order, and the result is swapped once (RFC 1071 section 2 (B)).
        // Lanes of 64 bits cannot overflow by 32-bit words of any packet.
        var lanes = SIMD8<UInt64>(repeating: 0)
        var offset = 0
        while offset &+ 32 <= count {
            lanes &+= SIMD8<UInt64>(
                truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt32>.self))
            offset &+= 32
        }
        var rest = lanes.wrappedSum()
        while offset &+ 4 <= count {
            rest &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        rest = rest & 0xffff_ffff &+ rest >> 32
        while offset &+ 2 <= count {
            rest &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < count { rest &+= UInt64(UInt16(bytes.u8(offset)).littleEndian) }
        rest = rest & 0xffff &+ rest >> 16
        rest = rest & 0xffff &+ rest >> 16
        rest = rest & 0xffff &+ rest >> 16
        return UInt32(UInt16(truncatingIfNeeded: rest).bigEndian)
    }

    /// Folds a sum of up to 65,536 words to 16 bits.
    @inlinable
    public static func fold(_ sum: UInt32) -> UInt16 {
        let once = sum & 0xffff &+ sum >> 16
        return UInt16(truncatingIfNeeded: once &+ once >> 16)
    }

    /// What goes into a checksum field: the complement of the folded sum.
    @inlinable
    public static func finish(_ sum: UInt32) -> UInt16 { ~fold(sum) }

    /// The checksum field of UDP, which writes 0 as 0xffff (RFC 768; RFC 8200 section 8.1).
    @inlinable
    public static func finishUDP(_ sum: UInt32) -> UInt16 {
        let checksum = finish(sum)
        return checksum == 0 ? 0xffff : checksum
    }

    /// The sum of the pseudo header (RFC 768, RFC 8200 section 8.1). Both addresses are of the same family;
    /// `length` is that of the upper-layer header and data.
    @inlinable
    public static func pseudoHeader(
        source: IPAddress, destination: IPAddress, protocol number: UInt8, length: Int
    ) -> UInt32 {
        let tail = UInt32(number) &+ UInt32(truncatingIfNeeded: length)
        if source.isV4 {
            return UInt32(fold(words(source.low & 0xffff_ffff) &+ words(destination.low & 0xffff_ffff) &+ tail))
        }
        let sum = words(source.high) &+ words(source.low) &+ words(destination.high) &+ words(destination.low)
        return UInt32(fold(sum &+ tail & 0xffff &+ tail >> 16))
    }

    /// The sum of the four 16-bit words of `value`.
    @inlinable
    static func words(_ value: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: value >> 48) &+ UInt32(truncatingIfNeeded: value >> 32 & 0xffff)
            &+ UInt32(truncatingIfNeeded: value >> 16 & 0xffff) &+ UInt32(truncatingIfNeeded: value & 0xffff)
    }

    /// A checksum field after one 16-bit word of what it covers changed (RFC 1624 equation 3).
    @inlinable
    public static func updated(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
        finish(UInt32(~checksum) &+ UInt32(~old) &+ UInt32(new))
    }
}
