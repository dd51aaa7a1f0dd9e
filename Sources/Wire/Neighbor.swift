/// A neighbour solicitation (RFC 4861 section 4.3).
@frozen
public struct NeighborSolicitation: Sendable, Equatable, BitwiseCopyable {
    /// Unspecified while the sender checks for duplicates (RFC 4862 section 5.4).
    public var source: IPAddress
    public var destination: IPAddress
    public var target: IPAddress
    /// The source link-layer address option, or the frame's source without it.
    public var sourceMAC: MACAddress

    @inlinable
    public init(source: IPAddress, destination: IPAddress, target: IPAddress, sourceMAC: MACAddress) {
        self.source = source
        self.destination = destination
        self.target = target
        self.sourceMAC = sourceMAC
    }

    /// A request for the owner of `target`, sent to its solicited-node group.
    @inlinable
    public init(source: IPAddress, target: IPAddress, sourceMAC: MACAddress) {
        self.init(source: source, destination: target.solicitedNodeGroup, target: target, sourceMAC: sourceMAC)
    }

    /// From a whole frame; nil unless it is valid by RFC 4861 section 7.1.1, checksum and hop limit too.
    @inlinable
    public init?(frame: UnsafeRawBufferPointer) {
        guard let message = NeighborMessage(frame: frame, type: 135, option: 1), !message.target.isMulticast else {
            return nil
        }
        self.init(
            source: message.header.source, destination: message.header.destination, target: message.target,
            sourceMAC: message.option ?? MACAddress(load: frame.baseAddress.unsafelyUnwrapped, at: 6))
    }

    /// Bytes of the frame that `write` makes.
    @inlinable public static var frameLength: Int { 86 }

    /// Writes the whole frame: to the group's MAC address when `destination` is one, otherwise to `nextHop`.
    @inlinable
    public func write(to frame: UnsafeMutableRawPointer, nextHop: MACAddress = .broadcast) {
        NeighborMessage.write(
            to: frame, type: 135, flags: 0, source: source, destination: destination, target: target, option: 1,
            sender: sourceMAC, receiver: destination.isMulticast ? MACAddress(multicast: destination) : nextHop)
    }
}

/// A neighbour advertisement (RFC 4861 section 4.4).
@frozen
public struct NeighborAdvertisement: Sendable, Equatable, BitwiseCopyable {
    public var source: IPAddress
    public var destination: IPAddress
    public var target: IPAddress
    /// The target link-layer address option, or the frame's source without it.
    public var targetMAC: MACAddress
    public var isSolicited: Bool
    public var overrides: Bool

    @inlinable
    public init(
        source: IPAddress, destination: IPAddress, target: IPAddress, targetMAC: MACAddress, isSolicited: Bool,
        overrides: Bool = true
    ) {
        self.source = source
        self.destination = destination
        self.target = target
        self.targetMAC = targetMAC
        self.isSolicited = isSolicited
        self.overrides = overrides
    }

    /// The answer of the target's owner (RFC 4861 section 7.2.4): to all nodes when the asker has no address yet.
    @inlinable
    public init(answering solicitation: NeighborSolicitation, owner: MACAddress) {
        let isAnonymous = solicitation.source.isUnspecified
        self.init(
            source: solicitation.target,
            destination: isAnonymous ? IPAddress(high: 0xff02_0000_0000_0000, low: 1) : solicitation.source,
            target: solicitation.target, targetMAC: owner, isSolicited: !isAnonymous)
    }

    /// From a whole frame; nil unless it is valid by RFC 4861 section 7.1.2, checksum and hop limit too.
    @inlinable
    public init?(frame: UnsafeRawBufferPointer) {
        guard let message = NeighborMessage(frame: frame, type: 136, option: 2), !message.target.isMulticast,
            !(message.isSolicited && message.header.destination.isMulticast)
        else { return nil }
        self.init(
            source: message.header.source, destination: message.header.destination, target: message.target,
            targetMAC: message.option ?? MACAddress(load: frame.baseAddress.unsafelyUnwrapped, at: 6),
            isSolicited: message.isSolicited, overrides: message.overrides)
    }

    /// Bytes of the frame that `write` makes.
    @inlinable public static var frameLength: Int { 86 }

    /// Writes the whole frame: to the group's MAC address when `destination` is one, otherwise to `nextHop`.
    @inlinable
    public func write(to frame: UnsafeMutableRawPointer, nextHop: MACAddress) {
        NeighborMessage.write(
            to: frame, type: 136, flags: (isSolicited ? 0x40 : 0) | (overrides ? 0x20 : 0), source: source,
            destination: destination, target: target, option: 2, sender: targetMAC,
            receiver: destination.isMulticast ? MACAddress(multicast: destination) : nextHop)
    }
}

/// What solicitation and advertisement share: the ICMPv6 header, a target and options.
@frozen
@usableFromInline
struct NeighborMessage: BitwiseCopyable {
    @usableFromInline let header: IPv6Header
    /// The link-layer address of the wanted option.
    @usableFromInline let option: MACAddress?

    @inlinable
    init?(frame: UnsafeRawBufferPointer, type: UInt8, option wanted: UInt8) {
        guard let ethernet = EthernetHeader(frame), ethernet.etherType == EthernetHeader.ipv6,
            let header = IPv6Header(frame.part(EthernetHeader.length, frame.count &- EthernetHeader.length)),
            header.nextHeader == IPProtocol.icmpv6, header.hopLimit == 255, header.payloadLength >= 24,
            !header.source.isMulticast, !header.source.isV4
        else { return nil }
        let message = header.base + IPv6Header.length
        let length = header.payloadLength
        let pseudo = InternetChecksum.pseudoHeader(
            source: header.source, destination: header.destination, protocol: IPProtocol.icmpv6, length: length)
        guard message.be16(0) == UInt16(type) << 8,
            InternetChecksum.finish(pseudo &+ InternetChecksum.sum(message, count: length)) == 0
        else { return nil }
        self.header = header
        var found: MACAddress?
        var offset = 24
        while offset < length {
            // Options count in units of 8 bytes; an empty one makes the packet invalid.
            guard offset &+ 2 <= length else { return nil }
            let size = Int(message.u8(offset &+ 1)) &* 8
            guard size > 0, offset &+ size <= length else { return nil }
            if message.u8(offset) == wanted { found = MACAddress(load: message, at: offset &+ 2) }
            offset &+= size
        }
        option = found
    }

    @inlinable var target: IPAddress { IPAddress(loadV6: header.base, at: IPv6Header.length &+ 8) }
    @inlinable var isSolicited: Bool { header.base.u8(IPv6Header.length &+ 4) & 0x40 != 0 }
    @inlinable var overrides: Bool { header.base.u8(IPv6Header.length &+ 4) & 0x20 != 0 }

    @inlinable
    static func write(
        to frame: UnsafeMutableRawPointer, type: UInt8, flags: UInt8, source: IPAddress, destination: IPAddress,
        target: IPAddress, option: UInt8, sender: MACAddress, receiver: MACAddress
    ) {
        EthernetHeader(destination: receiver, source: sender, etherType: EthernetHeader.ipv6).write(to: frame)
        IPv6Header.write(
            to: frame + 14, source: source, destination: destination, nextHeader: IPProtocol.icmpv6,
            payloadLength: 32, hopLimit: 255)
        let message = frame + 54
        message.setBE32(UInt32(type) << 24, at: 0)
        message.setBE32(UInt32(flags) << 24, at: 4)
        target.storeV6(to: message, at: 8)
        message.setU8(option, at: 24)
        message.setU8(1, at: 25)
        sender.store(to: message, at: 26)
        let sum = InternetChecksum.pseudoHeader(
            source: source, destination: destination, protocol: IPProtocol.icmpv6, length: 32)
        message.setBE16(InternetChecksum.finish(sum &+ InternetChecksum.sum(message, count: 32)), at: 2)
    }
}
