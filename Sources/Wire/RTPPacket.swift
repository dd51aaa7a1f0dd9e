/// A view of an RTP packet (RFC 3550 section 5.1).
@frozen
public struct RTPPacket: BitwiseCopyable {
    public let base: UnsafeRawPointer
    /// Bytes of the whole packet.
    public let count: Int
    /// Bytes of the fixed header, CSRCs and extension: where the payload starts.
    public let headerLength: Int
    /// Bytes of padding behind the payload, its count included; 0 in an encrypted packet, where it cannot be read.
    public let paddingLength: Int

    /// A packet whose payload may be encrypted: header and extension are proved, padding is not looked at.
    @inlinable
    public init?(encrypted bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.fixedLength, let base = bytes.baseAddress, base.u8(0) >> 6 == 2 else { return nil }
        var length = Self.fixedLength &+ Int(base.u8(0) & 0xf) &* 4
        if base.u8(0) & 0x10 != 0 {
            guard length &+ 4 <= bytes.count else { return nil }
            length = length &+ 4 &+ Int(base.be16(length &+ 2)) &* 4
        }
        guard length <= bytes.count else { return nil }
        self.base = base
        count = bytes.count
        headerLength = length
        paddingLength = 0
    }

    /// A plain packet: nil too when its padding is empty or longer than the payload.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let header = RTPPacket(encrypted: bytes) else { return nil }
        self.init(plain: header, count: bytes.count)
    }

    /// The same packet after decryption in place, now of `count` bytes.
    @inlinable
    public init?(plain header: RTPPacket, count: Int) {
        guard count >= header.headerLength, count <= header.count else { return nil }
        var padding = 0
        if header.hasPadding {
            guard count > header.headerLength else { return nil }
            padding = Int(header.base.u8(count &- 1))
            guard padding > 0, padding <= count &- header.headerLength else { return nil }
        }
        base = header.base
        self.count = count
        headerLength = header.headerLength
        paddingLength = padding
    }

    @inlinable public static var fixedLength: Int { 12 }

    @inlinable public var hasPadding: Bool { base.u8(0) & 0x20 != 0 }
    @inlinable public var hasExtension: Bool { base.u8(0) & 0x10 != 0 }
    @inlinable public var csrcCount: Int { Int(base.u8(0) & 0xf) }
    @inlinable public var marker: Bool { base.u8(1) & 0x80 != 0 }
    @inlinable public var payloadType: UInt8 { base.u8(1) & 0x7f }
    @inlinable public var sequence: UInt16 { base.be16(2) }
    @inlinable public var timestamp: UInt32 { base.be32(4) }
    @inlinable public var ssrc: UInt32 { base.be32(8) }
    /// `index` is below `csrcCount`.
    @inlinable public func csrc(_ index: Int) -> UInt32 { base.be32(Self.fixedLength &+ index &* 4) }

    @inlinable public var payloadOffset: Int { headerLength }
    /// Bytes without padding.
    @inlinable public var payloadLength: Int { count &- headerLength &- paddingLength }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headerLength, count: payloadLength)
    }

    /// Of the extension's header (profile and length) from the packet's start; meaningless without an extension.
    @inlinable public var extensionOffset: Int { Self.fixedLength &+ csrcCount &* 4 }
    /// "Defined by profile": 0xBEDE or 0x100x of RFC 8285; 0 without an extension.
    @inlinable public var extensionProfile: UInt16 { hasExtension ? base.be16(extensionOffset) : 0 }
    /// The elements of RFC 8285; none when the extension is of another profile.
    @inlinable public var elements: RTPExtensionElements { RTPExtensionElements(self) }

    /// The first element of an id; nil for id 0.
    @inlinable
    public func element(_ id: UInt8) -> UnsafeRawBufferPointer? {
        guard id != 0, hasExtension else { return nil }
        var elements = elements
        while let element = elements.next() {
            if element.id == id { return element.value }
        }
        return nil
    }
}
