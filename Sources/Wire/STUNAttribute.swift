/// The class of a STUN message (RFC 8489 section 5).
@frozen
public enum STUNClass: UInt8, Sendable, BitwiseCopyable {
    case request, indication, success, error
}

/// STUN methods: ICE's, and TURN's (RFC 8656 section 17).
@frozen
public enum STUNMethod {
    @inlinable public static var binding: UInt16 { 0x001 }
    @inlinable public static var allocate: UInt16 { 0x003 }
    @inlinable public static var refresh: UInt16 { 0x004 }
    @inlinable public static var send: UInt16 { 0x006 }
    @inlinable public static var data: UInt16 { 0x007 }
    @inlinable public static var createPermission: UInt16 { 0x008 }
    @inlinable public static var channelBind: UInt16 { 0x009 }
}

/// Attribute types (RFC 8489 section 18.3, RFC 8445 section 20.2, RFC 8656 section 18, RFC 8016 section 3.1).
@frozen
public enum STUNAttributeType {
    @inlinable public static var mappedAddress: UInt16 { 0x0001 }
    @inlinable public static var username: UInt16 { 0x0006 }
    @inlinable public static var messageIntegrity: UInt16 { 0x0008 }
    @inlinable public static var errorCode: UInt16 { 0x0009 }
    @inlinable public static var unknownAttributes: UInt16 { 0x000a }
    @inlinable public static var channelNumber: UInt16 { 0x000c }
    @inlinable public static var lifetime: UInt16 { 0x000d }
    @inlinable public static var xorPeerAddress: UInt16 { 0x0012 }
    @inlinable public static var data: UInt16 { 0x0013 }
    @inlinable public static var realm: UInt16 { 0x0014 }
    @inlinable public static var nonce: UInt16 { 0x0015 }
    @inlinable public static var xorRelayedAddress: UInt16 { 0x0016 }
    @inlinable public static var requestedAddressFamily: UInt16 { 0x0017 }
    @inlinable public static var evenPort: UInt16 { 0x0018 }
    @inlinable public static var requestedTransport: UInt16 { 0x0019 }
    @inlinable public static var dontFragment: UInt16 { 0x001a }
    @inlinable public static var messageIntegritySHA256: UInt16 { 0x001c }
    @inlinable public static var passwordAlgorithm: UInt16 { 0x001d }
    @inlinable public static var userhash: UInt16 { 0x001e }
    @inlinable public static var xorMappedAddress: UInt16 { 0x0020 }
    @inlinable public static var reservationToken: UInt16 { 0x0022 }
    @inlinable public static var priority: UInt16 { 0x0024 }
    @inlinable public static var useCandidate: UInt16 { 0x0025 }
    @inlinable public static var additionalAddressFamily: UInt16 { 0x8000 }
    @inlinable public static var addressErrorCode: UInt16 { 0x8001 }
    @inlinable public static var passwordAlgorithms: UInt16 { 0x8002 }
    @inlinable public static var software: UInt16 { 0x8022 }
    @inlinable public static var alternateServer: UInt16 { 0x8023 }
    @inlinable public static var fingerprint: UInt16 { 0x8028 }
    @inlinable public static var iceControlled: UInt16 { 0x8029 }
    @inlinable public static var iceControlling: UInt16 { 0x802a }
    @inlinable public static var mobilityTicket: UInt16 { 0x8030 }

    /// Whether a receiver that does not know the type may ignore it (RFC 8489 section 5).
    @inlinable
    public static func isOptional(_ type: UInt16) -> Bool { type >= 0x8000 }

    /// Whether a comprehension-required type is one of the above.
    @inlinable
    public static func isKnown(_ type: UInt16) -> Bool {
        switch type {
        case 0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x000c, 0x000d, 0x0012...0x001a, 0x001c...0x001e, 0x0020,
            0x0022, 0x0024, 0x0025:
            true
        default: false
        }
    }
}

/// 96 bits that name a transaction, in network order (RFC 8489 section 5).
@frozen
public struct STUNTransactionID: Hashable, Sendable, BitwiseCopyable {
    /// The first 32 and the last 64 bits.
    public var high: UInt32
    public var low: UInt64

    @inlinable
    public init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// One attribute of a message.
@frozen
public struct STUNAttribute: BitwiseCopyable {
    public let type: UInt16
    /// Of the attribute's header, from the message's first byte.
    public let offset: Int
    /// Without padding.
    public let value: UnsafeRawBufferPointer

    @inlinable
    init(type: UInt16, offset: Int, value: UnsafeRawBufferPointer) {
        self.type = type
        self.offset = offset
        self.value = value
    }
}

/// Walks the attributes of a message whose lengths `STUNMessage.init` has proved.
@frozen
public struct STUNAttributes: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let message: UnsafeRawBufferPointer
    @usableFromInline var offset: Int

    @inlinable
    init(message: UnsafeRawBufferPointer) {
        self.message = message
        offset = STUNMessage.headerLength
    }

    @inlinable
    public mutating func next() -> STUNAttribute? {
        guard offset &+ 4 <= message.count, let base = message.baseAddress else { return nil }
        let start = offset
        let length = Int(base.be16(start &+ 2))
        guard start &+ 4 &+ length <= message.count else { return nil }
        offset = start &+ 4 &+ (length &+ 3) & ~3
        return STUNAttribute(type: base.be16(start), offset: start, value: message.part(start &+ 4, length))
    }
}
