/// A view of a STUN message that fills its datagram (RFC 8489 section 5). `init?` walks the attributes once and
/// notes the first of each kind that ICE asks for; what follows MESSAGE-INTEGRITY is ignored, save
/// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (section 14.5).
@frozen
public struct STUNMessage: BitwiseCopyable {
    public let bytes: UnsafeRawBufferPointer
    // Offsets of attribute headers from the message's start; 0 where there is none.
    @usableFromInline var usernameAt: UInt16 = 0
    @usableFromInline var integrityAt: UInt16 = 0
    @usableFromInline var integritySHA256At: UInt16 = 0
    @usableFromInline var fingerprintAt: UInt16 = 0
    @usableFromInline var priorityAt: UInt16 = 0
    @usableFromInline var controllingAt: UInt16 = 0
    @usableFromInline var controlledAt: UInt16 = 0
    @usableFromInline var errorAt: UInt16 = 0
    @usableFromInline var mappedAt: UInt16 = 0
    /// Whether USE-CANDIDATE is there (RFC 8445 section 7.1.2).
    public private(set) var useCandidate = false
    /// Comprehension-required attributes of unknown type, the first 8 of them.
    public private(set) var unknownTypes = InlineArray<8, UInt16>(repeating: 0)
    public private(set) var unknownCount = 0

    @inlinable public static var headerLength: Int { 20 }
    @inlinable public static var magicCookie: UInt32 { 0x2112_a442 }

    /// Nil unless header, cookie and all attribute lengths hold and the message fills `bytes`.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerLength, bytes.count <= 0xffff, let base = bytes.baseAddress,
            base.u8(0) & 0xc0 == 0, base.be32(4) == Self.magicCookie
        else { return nil }
        let length = Int(base.be16(2))
        guard length & 3 == 0, length &+ Self.headerLength == bytes.count else { return nil }
        self.bytes = bytes
        var attributes = STUNAttributes(message: bytes)
        while let attribute = attributes.next() {
            guard note(attribute, isLast: attributes.offset == bytes.count) else { return nil }
        }
        guard attributes.offset == bytes.count else { return nil }
    }

    /// Remembers where an attribute is; false when its length is not what its type demands.
    private mutating func note(_ attribute: STUNAttribute, isLast: Bool) -> Bool {
        let count = attribute.value.count
        let offset = UInt16(truncatingIfNeeded: attribute.offset)
        if attribute.type == STUNAttributeType.fingerprint {
            if isLast && count == 4 { fingerprintAt = offset }
            return count == 4
        }
        if attribute.type == STUNAttributeType.messageIntegritySHA256 && integritySHA256At == 0 {
            integritySHA256At = offset
            // RFC 8489 section 14.6: it may be shortened by whole words.
            return count >= 16 && count <= 32 && count & 3 == 0
        }
        if integrityAt != 0 || integritySHA256At != 0 { return true }
        switch attribute.type {
        case STUNAttributeType.username:
            if usernameAt == 0 { usernameAt = offset }
            return count <= 512
        case STUNAttributeType.messageIntegrity:
            integrityAt = offset
            return count == 20
        case STUNAttributeType.priority:
            if priorityAt == 0 { priorityAt = offset }
            return count == 4
        case STUNAttributeType.useCandidate: useCandidate = true
        case STUNAttributeType.iceControlling:
            if controllingAt == 0 { controllingAt = offset }
            return count == 8
        case STUNAttributeType.iceControlled:
            if controlledAt == 0 { controlledAt = offset }
            return count == 8
        case STUNAttributeType.errorCode:
            if errorAt == 0 { errorAt = offset }
            return count >= 4
        case STUNAttributeType.xorMappedAddress:
            if mappedAt == 0 { mappedAt = offset }
            return Self.isAddress(attribute.value)
        case let type where !STUNAttributeType.isOptional(type) && !STUNAttributeType.isKnown(type):
            noteUnknown(type)
        default: break
        }
        return true
    }

    private mutating func noteUnknown(_ type: UInt16) {
        guard unknownCount < 8 else { return }
        for index in 0..<unknownCount where unknownTypes[index] == type { return }
        unknownTypes[unknownCount] = type
        unknownCount += 1
    }

    /// The message is proved to be longer than its header.
    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }

    @inlinable public var messageClass: STUNClass {
        STUNClass(rawValue: UInt8(truncatingIfNeeded: base.be16(0) >> 7 & 2 | base.be16(0) >> 4 & 1))
            .unsafelyUnwrapped
    }
    /// 12 bits: see `STUNMethod`.
    @inlinable public var method: UInt16 {
        let type = base.be16(0)
        return type & 0xf | type >> 1 & 0x70 | type >> 2 & 0xf80
    }
    @inlinable public var transactionID: STUNTransactionID {
        STUNTransactionID(high: base.be32(8), low: base.be64(12))
    }
    @inlinable public var attributes: STUNAttributes { STUNAttributes(message: bytes) }

    /// The first attribute of a type; looks behind MESSAGE-INTEGRITY too.
    @inlinable
    public func attribute(_ type: UInt16) -> STUNAttribute? {
        var attributes = attributes
        while let attribute = attributes.next() {
            if attribute.type == type { return attribute }
        }
        return nil
    }

    @inlinable
    func value(at offset: UInt16) -> UnsafeRawBufferPointer? {
        offset == 0 ? nil : bytes.part(Int(offset) &+ 4, Int(base.be16(Int(offset) &+ 2)))
    }

    /// USERNAME, at most 512 bytes.
    @inlinable public var username: UnsafeRawBufferPointer? { value(at: usernameAt) }
    /// PRIORITY (RFC 8445 section 7.1.1).
    @inlinable public var priority: UInt32? { priorityAt == 0 ? nil : base.be32(Int(priorityAt) &+ 4) }
    /// The tie-breaker of ICE-CONTROLLING (RFC 8445 section 7.1.3).
    @inlinable public var iceControlling: UInt64? { controllingAt == 0 ? nil : base.be64(Int(controllingAt) &+ 4) }
    /// The tie-breaker of ICE-CONTROLLED.
    @inlinable public var iceControlled: UInt64? { controlledAt == 0 ? nil : base.be64(Int(controlledAt) &+ 4) }
    /// The number of ERROR-CODE, 0...799 (RFC 8489 section 14.8).
    @inlinable public var errorCode: Int? {
        errorAt == 0 ? nil : Int(base.u8(Int(errorAt) &+ 6) & 7) &* 100 &+ Int(base.u8(Int(errorAt) &+ 7))
    }
    /// XOR-MAPPED-ADDRESS.
    @inlinable public var mappedEndpoint: Endpoint? { value(at: mappedAt).flatMap(endpoint(xored:)) }

    /// Where the attribute MESSAGE-INTEGRITY starts: the HMAC covers the bytes before it.
    @inlinable public var integrityOffset: Int? { integrityAt == 0 ? nil : Int(integrityAt) }
    /// What the header's length (bytes 2 and 3) must say while the HMAC is computed (RFC 8489 section 14.5): it
    /// ends with MESSAGE-INTEGRITY. Meaningless without it.
    @inlinable public var integrityLength: UInt16 { integrityAt &+ 24 &- UInt16(Self.headerLength) }
    /// The 20 bytes of HMAC-SHA1 that came.
    @inlinable public var integrity: UnsafeRawBufferPointer? { value(at: integrityAt) }

    /// Where the attribute MESSAGE-INTEGRITY-SHA256 starts: its HMAC covers the bytes before it (RFC 8489 section 14.6).
    @inlinable public var integritySHA256Offset: Int? { integritySHA256At == 0 ? nil : Int(integritySHA256At) }
    /// The 16 to 32 bytes of HMAC-SHA256 that came.
    @inlinable public var integritySHA256: UnsafeRawBufferPointer? { value(at: integritySHA256At) }
    /// Whether either integrity attribute is there.
    @inlinable public var hasIntegrity: Bool { integrityAt != 0 || integritySHA256At != 0 }
    /// Where the attributes end that an integrity attribute covers: those behind it are not to be believed.
    @inlinable public var coveredEnd: Int {
        integrityAt != 0 ? Int(integrityAt) : integritySHA256At != 0 ? Int(integritySHA256At) : bytes.count
    }

    /// Whether FINGERPRINT is the last attribute.
    @inlinable public var hasFingerprint: Bool { fingerprintAt != 0 }
    /// Whether FINGERPRINT is the last attribute and right (RFC 8489 section 14.7).
    @inlinable public var isFingerprintValid: Bool {
        guard fingerprintAt != 0 else { return false }
        let crc = CRC32.checksum(base, count: Int(fingerprintAt)) ^ 0x5354_554e
        return crc == base.be32(Int(fingerprintAt) &+ 4)
    }
}

extension STUNMessage {
    /// Whether `value` has the length and family of an address attribute (RFC 8489 section 14.1).
    @inlinable
    static func isAddress(_ value: UnsafeRawBufferPointer) -> Bool {
        guard value.count >= 8, let base = value.baseAddress else { return false }
        return base.u8(1) == 1 && value.count == 8 || base.u8(1) == 2 && value.count == 20
    }

    /// Decodes XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS and the like (RFC 8489 section 14.2); nil when malformed.
    @inlinable
    public func endpoint(xored value: UnsafeRawBufferPointer) -> Endpoint? {
        guard Self.isAddress(value), let raw = value.baseAddress else { return nil }
        let port = raw.be16(2) ^ UInt16(truncatingIfNeeded: Self.magicCookie >> 16)
        if value.count == 8 {
            return Endpoint(address: IPAddress(v4: raw.be32(4) ^ Self.magicCookie), port: port)
        }
        let address = IPAddress(
            high: raw.be64(4) ^ (UInt64(Self.magicCookie) << 32 | UInt64(transactionID.high)),
            low: raw.be64(12) ^ transactionID.low)
        return Endpoint(address: address, port: port)
    }
}
