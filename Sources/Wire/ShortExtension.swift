/// A header extension of few small elements in the one-byte form (RFC 8285 section 4.2), built in a register: what
/// nearly every packet has. At most 8 bytes of elements; `RTPHeaderWriter` writes what is larger.
@frozen
public struct ShortExtension: BitwiseCopyable {
    /// Bytes of the elements that fit.
    @inlinable public static var capacity: Int { 8 }
    /// The largest id of the one-byte form.
    @inlinable public static var maximumID: UInt8 { 14 }
    /// Room that `write` may touch: fixed header, extension header and elements.
    @inlinable public static var headerRoom: Int { RTPPacket.fixedLength &+ 4 &+ capacity }

    /// The elements as they lie in memory, first byte lowest.
    @usableFromInline var bytes: UInt64
    @usableFromInline var count: UInt64

    @inlinable @inline(__always)
    public init() {
        bytes = 0
        count = 0
    }

    /// Adds an element of one byte. `id` is 1...14; the caller adds no more than fits.
    @inlinable @inline(__always)
    public mutating func add(_ id: UInt8, u8 value: UInt8) {
        bytes |= (UInt64(id) &<< 4 | UInt64(value) &<< 8) &<< (count &* 8)
        count &+= 2
    }

    /// Adds an element of two bytes, likewise.
    @inlinable @inline(__always)
    public mutating func add(_ id: UInt8, be16 value: UInt16) {
        bytes |= (UInt64(id) &<< 4 | 1 | UInt64(value.bigEndian) &<< 8) &<< (count &* 8)
        count &+= 3
    }

    /// Adds an element of three bytes, the highest in bits 16 to 23 of `value`, likewise.
    @inlinable @inline(__always)
    public mutating func add(_ id: UInt8, be24 value: UInt32) {
        bytes |= (UInt64(id) &<< 4 | 2 | UInt64(value.bigEndian &>> 8) &<< 8) &<< (count &* 8)
        count &+= 4
    }

    /// Writes an RTP header (RFC 3550 section 5.1) with these elements and returns its length. `headerRoom` bytes of
    /// memory may be written, whatever that is.
    @inlinable @inline(__always)
    public func write(
        to memory: UnsafeMutableRawPointer, marker: Bool, payloadType: UInt8, sequence: UInt16, timestamp: UInt32,
        ssrc: UInt32
    ) -> Int {
        let first: UInt64 = count == 0 ? 0x80 : 0x90
        let second = UInt64(payloadType & 0x7f | (marker ? 0x80 : 0))
        memory.storeBytes(
            of: first | second &<< 8 | UInt64(sequence.bigEndian) &<< 16 | UInt64(timestamp.bigEndian) &<< 32,
            as: UInt64.self)
        let words = (count &+ 3) &>> 2
        // 0xBEDE and the number of words, behind the SSRC.
        memory.storeBytes(
            of: UInt64(ssrc.bigEndian) | 0xdebe &<< 32 | words &<< 56, toByteOffset: 8, as: UInt64.self)
        memory.storeBytes(of: bytes, toByteOffset: 16, as: UInt64.self)
        return count == 0 ? RTPPacket.fixedLength : RTPPacket.fixedLength &+ 4 &+ Int(truncatingIfNeeded: words &* 4)
    }
}
