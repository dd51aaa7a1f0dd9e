/// Writes a STUN message into caller memory (RFC 8489). After an attribute that does not fit everything
/// is ignored, and `finish` returns 0. Order: attributes, `beginIntegrity`, `endIntegrity`, `addFingerprint`, `finish`.
@frozen
public struct STUNWriter: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline let transactionID: STUNTransactionID
    /// Bytes written so far.
    public private(set) var count: Int
    @usableFromInline var overflowed = false

    /// Nil when `memory` has less than 20 bytes.
    public init?(
        into memory: UnsafeMutableRawBufferPointer, class messageClass: STUNClass, method: UInt16,
        transactionID: STUNTransactionID
    ) {
        guard memory.count >= STUNMessage.headerLength, let base = memory.baseAddress else { return nil }
        self.base = base
        capacity = min(memory.count, 0xfffc)
        self.transactionID = transactionID
        count = STUNMessage.headerLength
        let kind = UInt16(messageClass.rawValue)
        let spread = method & 0xf | method << 1 & 0xe0 | method << 2 & 0x3e00
        base.setBE16(spread | kind << 4 & 0x10 | kind << 7 & 0x100, at: 0)
        base.setBE16(0, at: 2)
        base.setBE32(STUNMessage.magicCookie, at: 4)
        base.setBE32(transactionID.high, at: 8)
        base.setBE64(transactionID.low, at: 12)
    }

    /// Begins an attribute: header written, padding zeroed, length of the message renewed; nil when it does not fit.
    public mutating func reserve(_ type: UInt16, count length: Int) -> UnsafeMutableRawPointer? {
        let padded = (length &+ 3) & ~3
        guard !overflowed, length >= 0, padded &+ 4 <= capacity &- count else {
            overflowed = true
            return nil
        }
        let start = base + count
        if padded > 0 { start.setBE32(0, at: padded) }
        start.setBE16(type, at: 0)
        start.setBE16(UInt16(truncatingIfNeeded: length), at: 2)
        count += padded &+ 4
        base.setBE16(UInt16(truncatingIfNeeded: count &- STUNMessage.headerLength), at: 2)
        return start + 4
    }

    /// An attribute of any bytes: USERNAME, SOFTWARE, REALM, NONCE, DATA, ...
    public mutating func add(_ type: UInt16, _ value: UnsafeRawBufferPointer) {
        guard let room = reserve(type, count: value.count), let source = value.baseAddress else { return }
        room.copyMemory(from: source, byteCount: value.count)
    }

    /// SOFTWARE or another text known when compiling.
    public mutating func add(_ type: UInt16, text: StaticString) {
        add(type, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// USE-CANDIDATE, DONT-FRAGMENT.
    public mutating func addFlag(_ type: UInt16) { _ = reserve(type, count: 0) }

    /// PRIORITY, LIFETIME.
    public mutating func add(_ type: UInt16, _ value: UInt32) { reserve(type, count: 4)?.setBE32(value, at: 0) }

    /// ICE-CONTROLLING, ICE-CONTROLLED.
    public mutating func add(_ type: UInt16, _ value: UInt64) { reserve(type, count: 8)?.setBE64(value, at: 0) }

    /// XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS (RFC 8489 section 14.2).
    public mutating func add(_ type: UInt16, xored endpoint: Endpoint) {
        let isV4 = endpoint.address.isV4
        guard let room = reserve(type, count: isV4 ? 8 : 20) else { return }
        room.setBE16(isV4 ? 1 : 2, at: 0)
        room.setBE16(endpoint.port ^ UInt16(truncatingIfNeeded: STUNMessage.magicCookie >> 16), at: 2)
        if isV4 {
            room.setBE32(endpoint.address.v4 ^ STUNMessage.magicCookie, at: 4)
        } else {
            let mask = UInt64(STUNMessage.magicCookie) << 32 | UInt64(transactionID.high)
            room.setBE64(endpoint.address.high ^ mask, at: 4)
            room.setBE64(endpoint.address.low ^ transactionID.low, at: 12)
        }
    }

    /// ERROR-CODE, 300...699 (RFC 8489 section 14.8).
    public mutating func addError(_ code: Int, reason: StaticString) {
        let length = reason.utf8CodeUnitCount
        guard let room = reserve(STUNAttributeType.errorCode, count: 4 &+ length) else { return }
        room.setBE16(0, at: 0)
        room.setU8(UInt8(truncatingIfNeeded: code / 100), at: 2)
        room.setU8(UInt8(truncatingIfNeeded: code % 100), at: 3)
        (room + 4).copyMemory(from: reason.utf8Start, byteCount: length)
    }

    /// UNKNOWN-ATTRIBUTES of a request (RFC 8489 section 14.13).
    public mutating func addUnknownAttributes(of message: STUNMessage) {
        guard let room = reserve(STUNAttributeType.unknownAttributes, count: 2 &* message.unknownCount) else { return }
        for index in 0..<message.unknownCount { room.setBE16(message.unknownTypes[index], at: 2 &* index) }
    }

    /// UNKNOWN-ATTRIBUTES from a list of types, the first `count` of it.
    public mutating func addUnknownAttributes(_ types: InlineArray<8, UInt16>, count: Int) {
        guard let room = reserve(STUNAttributeType.unknownAttributes, count: 2 &* count) else { return }
        for index in 0..<count { room.setBE16(types[index], at: 2 &* index) }
    }

    /// ADDRESS-ERROR-CODE: why an address of this family could not be had (RFC 8656 section 18.12).
    public mutating func addAddressError(_ code: Int, family: UInt8, reason: StaticString) {
        let length = reason.utf8CodeUnitCount
        guard let room = reserve(STUNAttributeType.addressErrorCode, count: 4 &+ length) else { return }
        room.setU8(family, at: 0)
        room.setU8(0, at: 1)
        room.setU8(UInt8(truncatingIfNeeded: code / 100), at: 2)
        room.setU8(UInt8(truncatingIfNeeded: code % 100), at: 3)
        (room + 4).copyMemory(from: reason.utf8Start, byteCount: length)
    }

    /// ALTERNATE-SERVER, in the form of MAPPED-ADDRESS (RFC 8489 sections 14.15 and 14.1).
    public mutating func addAlternateServer(_ endpoint: Endpoint) {
        let isV4 = endpoint.address.isV4
        guard let room = reserve(STUNAttributeType.alternateServer, count: isV4 ? 8 : 20) else { return }
        room.setBE16(isV4 ? 1 : 2, at: 0)
        room.setBE16(endpoint.port, at: 2)
        if isV4 { endpoint.address.storeV4(to: room, at: 4) } else { endpoint.address.storeV6(to: room, at: 4) }
    }

    /// Makes room for MESSAGE-INTEGRITY, sets the header's length for it, and returns the bytes that
    /// the HMAC-SHA1 covers; nil when it does not fit.
    public mutating func beginIntegrity() -> UnsafeRawBufferPointer? {
        let covered = count
        guard reserve(STUNAttributeType.messageIntegrity, count: 20) != nil else { return nil }
        return UnsafeRawBufferPointer(start: base, count: covered)
    }

    /// Fills in the 20 bytes of HMAC-SHA1, directly after `beginIntegrity`.
    public mutating func endIntegrity(_ tag: UnsafeRawPointer) {
        guard !overflowed else { return }
        (base + (count &- 20)).copyMemory(from: tag, byteCount: 20)
    }

    /// As `beginIntegrity`, for MESSAGE-INTEGRITY-SHA256 with all its 32 bytes (RFC 8489 section 14.6).
    public mutating func beginIntegritySHA256() -> UnsafeRawBufferPointer? {
        let covered = count
        guard reserve(STUNAttributeType.messageIntegritySHA256, count: 32) != nil else { return nil }
        return UnsafeRawBufferPointer(start: base, count: covered)
    }

    /// Fills in the 32 bytes of HMAC-SHA256, directly after `beginIntegritySHA256`.
    public mutating func endIntegritySHA256(_ tag: UnsafeRawPointer) {
        guard !overflowed else { return }
        (base + (count &- 32)).copyMemory(from: tag, byteCount: 32)
    }

    /// FINGERPRINT, the last attribute.
    public mutating func addFingerprint() {
        let covered = count
        guard let room = reserve(STUNAttributeType.fingerprint, count: 4) else { return }
        room.setBE32(CRC32.checksum(base, count: covered) ^ 0x5354_554e, at: 0)
    }

    /// The message's length, or 0 when something did not fit.
    public func finish() -> Int { overflowed ? 0 : count }
}
