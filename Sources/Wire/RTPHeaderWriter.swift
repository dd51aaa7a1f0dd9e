/// Writes an RTP header with an extension block (RFC 3550 section 5.1, RFC 8285) into caller memory: the one-byte form,
/// turned into the two-byte form by the first element that needs it (id > 14, or 0 or more than 16 bytes).
/// An element that does not fit is left out, and `add` says so.
@frozen
public struct RTPHeaderWriter: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline var offset: Int
    @usableFromInline var elementCount: Int
    @usableFromInline var isTwoByte: Bool

    /// Nil when `memory` has less than 12 bytes. No CSRCs, no padding.
    @inlinable
    public init?(
        into memory: UnsafeMutableRawBufferPointer, marker: Bool, payloadType: UInt8, sequence: UInt16,
        timestamp: UInt32, ssrc: UInt32
    ) {
        guard memory.count >= RTPPacket.fixedLength, let base = memory.baseAddress else { return nil }
        self.base = base
        // The padded block must stay inside; its length in words fits 16 bits.
        capacity = Swift.min(memory.count, 0x3_ffff) & ~3
        offset = RTPPacket.fixedLength
        elementCount = 0
        isTwoByte = false
        base.setU8(0x80, at: 0)
        base.setU8((marker ? 0x80 : 0) | payloadType & 0x7f, at: 1)
        base.setBE16(sequence, at: 2)
        base.setBE32(timestamp, at: 4)
        base.setBE32(ssrc, at: 8)
    }

    /// Adds an element; false when id or length (over 255) cannot be or it does not fit.
    @inlinable @discardableResult
    public mutating func add(_ id: UInt8, _ value: UnsafeRawBufferPointer) -> Bool {
        guard let room = reserve(id, count: value.count) else { return false }
        if let source = value.baseAddress { room.copyMemory(from: source, byteCount: value.count) }
        return true
    }

    /// Adds an element of one byte.
    @inlinable @discardableResult
    public mutating func add(_ id: UInt8, u8 value: UInt8) -> Bool {
        guard let room = reserve(id, count: 1) else { return false }
        room.setU8(value, at: 0)
        return true
    }

    /// Adds an element of two bytes: the transport-wide sequence number.
    @inlinable @discardableResult
    public mutating func add(_ id: UInt8, be16 value: UInt16) -> Bool {
        guard let room = reserve(id, count: 2) else { return false }
        room.setBE16(value, at: 0)
        return true
    }

    /// Adds an element of three bytes: abs-send-time.
    @inlinable @discardableResult
    public mutating func add(_ id: UInt8, be24 value: UInt32) -> Bool {
        guard let room = reserve(id, count: 3) else { return false }
        room.setBE24(value, at: 0)
        return true
    }

    /// Makes room for an element's value of `count` bytes, which the caller fills; nil when it cannot be.
    @inlinable
    public mutating func reserve(_ id: UInt8, count: Int) -> UnsafeMutableRawPointer? {
        guard id != 0, count >= 0, count <= 255 else { return nil }
        let needsTwoByte = isTwoByte || id > 14 || count == 0 || count > 16
        let start = elementCount == 0 ? RTPPacket.fixedLength &+ 4 : offset
        let growth = needsTwoByte && !isTwoByte ? elementCount : 0
        let header = needsTwoByte ? 2 : 1
        guard start &+ growth &+ header &+ count <= capacity else { return nil }
        offset = start
        if needsTwoByte && !isTwoByte { widen() }
        if needsTwoByte {
            base.setU8(id, at: offset)
            base.setU8(UInt8(truncatingIfNeeded: count), at: offset &+ 1)
        } else {
            base.setU8(id << 4 | UInt8(truncatingIfNeeded: count &- 1), at: offset)
        }
        let room = base + (offset &+ header)
        offset = offset &+ header &+ count
        elementCount &+= 1
        return room
    }

    /// Turns the elements so far into the two-byte form: shifted up by the growth, then moved down one by one, the
    /// write never overtaking the read.
    @inlinable
    mutating func widen() {
        let start = RTPPacket.fixedLength &+ 4
        var source = start &+ elementCount
        memmove(source, start, offset &- start)
        var target = start
        for _ in 0..<elementCount {
            let header = base.load(fromByteOffset: source, as: UInt8.self)
            let length = Int(header & 0xf) &+ 1
            base.setU8(header >> 4, at: target)
            base.setU8(UInt8(truncatingIfNeeded: length), at: target &+ 1)
            memmove(target &+ 2, source &+ 1, length)
            source = source &+ 1 &+ length
            target = target &+ 2 &+ length
        }
        offset = target
        isTwoByte = true
    }

    @inlinable
    func memmove(_ target: Int, _ source: Int, _ count: Int) {
        (base + target).copyMemory(from: base + source, byteCount: count)
    }

    /// Closes the extension block, padded to 4 bytes, and returns the header's length.
    @inlinable
    public mutating func finish() -> Int {
        guard elementCount > 0 else { return RTPPacket.fixedLength }
        while offset & 3 != 0 {
            base.setU8(0, at: offset)
            offset &+= 1
        }
        base.setU8(0x90, at: 0)
        base.setBE16(isTwoByte ? 0x1000 : 0xbede, at: 12)
        base.setBE16(UInt16(truncatingIfNeeded: (offset &- 16) / 4), at: 14)
        return offset
    }
}
