/// One element of a header extension (RFC 8285).
@frozen
public struct RTPExtensionElement: BitwiseCopyable {
    public let id: UInt8
    /// Of the value, from the packet's first byte: to rewrite in place.
    public let offset: Int
    public let value: UnsafeRawBufferPointer

    @inlinable
    init(id: UInt8, offset: Int, value: UnsafeRawBufferPointer) {
        self.id = id
        self.offset = offset
        self.value = value
    }
}

/// Walks the elements of a packet's header extension in one-byte or two-byte form (RFC 8285 sections 4.2 and 4.3);
/// ends at the first that does not fit.
@frozen
public struct RTPExtensionElements: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline var offset: Int
    @usableFromInline let end: Int
    @usableFromInline let isTwoByte: Bool

    @inlinable
    init(_ packet: RTPPacket) {
        base = packet.base
        let profile = packet.extensionProfile
        isTwoByte = profile & 0xfff0 == 0x1000
        let isKnown = isTwoByte || profile == 0xbede
        offset = isKnown ? packet.extensionOffset &+ 4 : 0
        end = isKnown ? packet.headerLength : 0
    }

    @inlinable
    public mutating func next() -> RTPExtensionElement? {
        // A padding byte has id 0, and in the one-byte form length 0 too (RFC 8285 section 4.1.2).
        while offset < end && base.u8(offset) == 0 { offset &+= 1 }
        guard offset < end else { return nil }
        let id: UInt8
        let length: Int
        if isTwoByte {
            guard offset &+ 2 <= end else { return nil }
            id = base.u8(offset)
            length = Int(base.u8(offset &+ 1))
            offset &+= 2
        } else {
            id = base.u8(offset) >> 4
            length = Int(base.u8(offset) & 0xf) &+ 1
            offset &+= 1
            guard id != 0, id != 15 else {
                offset = end
                return nil
            }
        }
        let start = offset
        guard start &+ length <= end else {
            offset = end
            return nil
        }
        offset = start &+ length
        return RTPExtensionElement(
            id: id, offset: start, value: UnsafeRawBufferPointer(start: base + start, count: length))
    }
}

/// The client-to-mixer audio level (RFC 6464).
@frozen
public struct AudioLevel: Sendable, Equatable, BitwiseCopyable {
    public var hasVoice: Bool
    /// 0 (loudest) ... 127 (silence), in -dBov.
    public var level: UInt8

    @inlinable
    public init(hasVoice: Bool, level: UInt8) {
        self.hasVoice = hasVoice
        self.level = level & 0x7f
    }

    /// From an element's value; nil when it is empty.
    @inlinable
    public init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 1, let base = value.baseAddress else { return nil }
        self.init(hasVoice: base.u8(0) & 0x80 != 0, level: base.u8(0))
    }

    @inlinable public var byte: UInt8 { (hasVoice ? 0x80 : 0) | level }
}
