/// An ARP packet for IPv4 over Ethernet (RFC 826).
@frozen
public struct ARPPacket: Sendable, Equatable, BitwiseCopyable {
    @frozen
    public enum Operation: UInt16, Sendable, BitwiseCopyable {
        case request = 1
        case reply = 2
    }

    public var operation: Operation
    public var senderMAC: MACAddress
    public var senderAddress: IPAddress
    public var targetMAC: MACAddress
    public var targetAddress: IPAddress

    @inlinable
    public init(
        operation: Operation, senderMAC: MACAddress, senderAddress: IPAddress, targetMAC: MACAddress,
        targetAddress: IPAddress
    ) {
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderAddress = senderAddress
        self.targetMAC = targetMAC
        self.targetAddress = targetAddress
    }

    /// From a whole frame; nil when it is not a request or a reply of IPv4 over Ethernet.
    @inlinable
    public init?(frame: UnsafeRawBufferPointer) {
        guard frame.count >= Self.frameLength, let base = frame.baseAddress,
            base.be16(12) == EthernetHeader.arp, base.be16(14) == 1, base.be16(16) == EthernetHeader.ipv4,
            base.be16(18) == 0x0604, let operation = Operation(rawValue: base.be16(20))
        else { return nil }
        self.operation = operation
        senderMAC = MACAddress(load: base, at: 22)
        senderAddress = IPAddress(loadV4: base, at: 28)
        targetMAC = MACAddress(load: base, at: 32)
        targetAddress = IPAddress(loadV4: base, at: 38)
    }

    /// Bytes of the frame that `write` makes; devices pad it to Ethernet's least length.
    @inlinable public static var frameLength: Int { 42 }

    /// Writes the whole frame: to `targetMAC`, or to all for a request.
    @inlinable
    public func write(to frame: UnsafeMutableRawPointer) {
        EthernetHeader(
            destination: operation == .request ? .broadcast : targetMAC, source: senderMAC,
            etherType: EthernetHeader.arp
        ).write(to: frame)
        frame.setBE16(1, at: 14)
        frame.setBE16(EthernetHeader.ipv4, at: 16)
        frame.setBE16(0x0604, at: 18)
        frame.setBE16(operation.rawValue, at: 20)
        senderMAC.store(to: frame, at: 22)
        senderAddress.storeV4(to: frame, at: 28)
        targetMAC.store(to: frame, at: 32)
        targetAddress.storeV4(to: frame, at: 38)
    }

    /// The answer of the owner of `targetAddress`.
    @inlinable
    public func reply(from owner: MACAddress) -> ARPPacket {
        ARPPacket(
            operation: .reply, senderMAC: owner, senderAddress: targetAddress, targetMAC: senderMAC,
            targetAddress: senderAddress)
    }
}
