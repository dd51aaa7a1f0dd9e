/// Big-endian reads at any alignment. The caller has proved the length.
extension UnsafeRawPointer {
    @inlinable @inline(__always)
    public func u8(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

    @inlinable @inline(__always)
    public func be16(_ offset: Int) -> UInt16 {
        UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inlinable @inline(__always)
    public func be24(_ offset: Int) -> UInt32 { UInt32(u8(offset)) << 16 | UInt32(be16(offset + 1)) }

    @inlinable @inline(__always)
    public func be32(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inlinable @inline(__always)
    public func be64(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

/// Big-endian writes at any alignment. The caller has proved the room.
extension UnsafeMutableRawPointer {
    @inlinable @inline(__always)
    public func setU8(_ value: UInt8, at offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    @inlinable @inline(__always)
    public func setBE16(_ value: UInt16, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    /// The low 24 bits of `value`.
    @inlinable @inline(__always)
    public func setBE24(_ value: UInt32, at offset: Int) {
        setU8(UInt8(truncatingIfNeeded: value >> 16), at: offset)
        setBE16(UInt16(truncatingIfNeeded: value), at: offset + 1)
    }

    @inlinable @inline(__always)
    public func setBE32(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @inlinable @inline(__always)
    public func setBE64(_ value: UInt64, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }
}

extension UnsafeRawBufferPointer {
    /// The `count` bytes from `offset` on; the caller has proved that they are inside.
    @inlinable @inline(__always)
    public func part(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: baseAddress.map { $0 + offset }, count: count)
    }
}
