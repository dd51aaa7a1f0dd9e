/// A TURN message's attributes (RFC 8656 section 18, RFC 8016 section 3.1): notes once where each is that counts, that
/// is those before an integrity attribute, and whether each has the length that its type demands.
@frozen
public struct TURNMessage: BitwiseCopyable {
    public let stun: STUNMessage
    // Offsets of attribute headers from the message's start; 0 where there is none.
    @usableFromInline var realmAt: UInt16 = 0
    @usableFromInline var nonceAt: UInt16 = 0
    @usableFromInline var channelAt: UInt16 = 0
    @usableFromInline var lifetimeAt: UInt16 = 0
    @usableFromInline var peerAt: UInt16 = 0
    @usableFromInline var dataAt: UInt16 = 0
    @usableFromInline var familyAt: UInt16 = 0
    @usableFromInline var evenPortAt: UInt16 = 0
    @usableFromInline var transportAt: UInt16 = 0
    @usableFromInline var tokenAt: UInt16 = 0
    @usableFromInline var additionalFamilyAt: UInt16 = 0
    @usableFromInline var ticketAt: UInt16 = 0
    /// Of XOR-PEER-ADDRESS, which CreatePermission may carry several times.
    public private(set) var peerCount = 0
    public private(set) var dontFragment = false
    /// An attribute of a known type has a length or form that its type does not allow.
    public private(set) var isMalformed = false

    /// The protocol numbers and families of REQUESTED-TRANSPORT and REQUESTED-ADDRESS-FAMILY.
    @inlinable public static var udp: UInt8 { 17 }
    @inlinable public static var familyV4: UInt8 { 1 }
    @inlinable public static var familyV6: UInt8 { 2 }
    /// The value of our PASSWORD-ALGORITHMS: SHA-256, then MD5, without parameters (RFC 8489 section 18.5).
    @inlinable public static var passwordAlgorithms: UInt64 { 0x0002_0000_0001_0000 }

    public init(_ stun: STUNMessage) {
        self.stun = stun
        let end = stun.coveredEnd
        for attribute in stun.attributes where attribute.offset < end { note(attribute) }
    }

    private mutating func note(_ attribute: STUNAttribute) {
        let count = attribute.value.count
        let at = UInt16(truncatingIfNeeded: attribute.offset)
        switch attribute.type {
        case STUNAttributeType.realm: realmAt = kept(realmAt, at, count < 764)
        case STUNAttributeType.nonce: nonceAt = kept(nonceAt, at, count < 764)
        case STUNAttributeType.channelNumber: channelAt = kept(channelAt, at, count == 4)
        case STUNAttributeType.lifetime: lifetimeAt = kept(lifetimeAt, at, count == 4)
        case STUNAttributeType.xorPeerAddress:
            peerCount &+= 1
            peerAt = kept(peerAt, at, STUNMessage.isAddress(attribute.value))
        case STUNAttributeType.data: dataAt = kept(dataAt, at, true)
        case STUNAttributeType.requestedAddressFamily: familyAt = kept(familyAt, at, count == 4)
        case STUNAttributeType.evenPort: evenPortAt = kept(evenPortAt, at, count == 1)
        case STUNAttributeType.requestedTransport: transportAt = kept(transportAt, at, count == 4)
        case STUNAttributeType.dontFragment:
            dontFragment = true
            if count != 0 { isMalformed = true }
        case STUNAttributeType.reservationToken: tokenAt = kept(tokenAt, at, count == 8)
        case STUNAttributeType.additionalAddressFamily: additionalFamilyAt = kept(additionalFamilyAt, at, count == 4)
        case STUNAttributeType.mobilityTicket: ticketAt = kept(ticketAt, at, true)
        default: break
        }
    }

    /// The first of a type counts (RFC 8489 section 14).
    private mutating func kept(_ place: UInt16, _ offset: UInt16, _ isWellFormed: Bool) -> UInt16 {
        if !isWellFormed { isMalformed = true }
        return place == 0 ? offset : place
    }

    @inlinable
    func byte(_ offset: UInt16) -> UInt8? { offset == 0 ? nil : stun.base.u8(Int(offset) &+ 4) }

    /// REALM and NONCE as they came.
    @inlinable public var realm: UnsafeRawBufferPointer? { stun.value(at: realmAt) }
    @inlinable public var nonce: UnsafeRawBufferPointer? { stun.value(at: nonceAt) }
    /// CHANNEL-NUMBER (RFC 8656 section 18.1). Like all below: meaningless when `isMalformed`.
    @inlinable public var channel: UInt16? { channelAt == 0 ? nil : stun.base.be16(Int(channelAt) &+ 4) }
    /// LIFETIME, seconds.
    @inlinable public var lifetime: UInt32? { lifetimeAt == 0 ? nil : stun.base.be32(Int(lifetimeAt) &+ 4) }
    /// DATA, without padding.
    @inlinable public var data: UnsafeRawBufferPointer? { stun.value(at: dataAt) }
    /// Where the payload of DATA starts in the message.
    @inlinable public var dataOffset: Int { Int(dataAt) &+ 4 }
    /// REQUESTED-ADDRESS-FAMILY: 1 or 2 when it is right.
    @inlinable public var requestedFamily: UInt8? { byte(familyAt) }
    /// ADDITIONAL-ADDRESS-FAMILY.
    @inlinable public var additionalFamily: UInt8? { byte(additionalFamilyAt) }
    /// EVEN-PORT: its R bit.
    @inlinable public var evenPort: Bool? { byte(evenPortAt).map { $0 & 0x80 != 0 } }
    /// REQUESTED-TRANSPORT.
    @inlinable public var requestedTransport: UInt8? { byte(transportAt) }
    /// RESERVATION-TOKEN.
    @inlinable public var reservationToken: UInt64? { tokenAt == 0 ? nil : stun.base.be64(Int(tokenAt) &+ 4) }
    /// MOBILITY-TICKET; empty in an Allocate request that asks for one.
    @inlinable public var mobilityTicket: UnsafeRawBufferPointer? { stun.value(at: ticketAt) }
    /// The first XOR-PEER-ADDRESS; nil also for an IPv4-mapped IPv6 address.
    @inlinable public var peer: Endpoint? { stun.value(at: peerAt).flatMap(peer(of:)) }

    /// The endpoint in an XOR-PEER-ADDRESS, nil when malformed or IPv4-mapped IPv6.
    @inlinable
    public func peer(of value: UnsafeRawBufferPointer) -> Endpoint? {
        guard let endpoint = stun.endpoint(xored: value) else { return nil }
        return endpoint.address.isV4 == (value.count == 8) ? endpoint : nil
    }
}
