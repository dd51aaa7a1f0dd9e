/// A view of a frame that carries a whole ICMP or ICMPv6 echo request (RFC 792, RFC 4443 section 4.1).
@frozen
public struct ICMPEcho: BitwiseCopyable {
    /// The frame's first byte.
    public let base: UnsafeRawPointer
    /// Where the ICMP header starts.
    public let messageOffset: Int
    /// Bytes of ICMP header and data.
    public let messageLength: Int
    public let isV4: Bool

    /// Nil for everything that `DatagramFrame.classify` does not call `.icmp`.
    @inlinable
    public init?(frame: UnsafeRawBufferPointer) {
        guard case .icmp = DatagramFrame.classify(frame), let base = frame.baseAddress else { return nil }
        self.base = base
        let packet = frame.part(EthernetHeader.length, frame.count &- EthernetHeader.length)
        if let header = IPv4Header(packet) {
            isV4 = true
            messageOffset = EthernetHeader.length &+ header.headerLength
            messageLength = header.payloadLength
        } else if let header = IPv6Header(packet) {
            isV4 = false
            messageOffset = EthernetHeader.length &+ IPv6Header.length
            messageLength = header.payloadLength
        } else {
            return nil
        }
    }

    /// Bytes from the frame's start to the message's end, without Ethernet's padding.
    @inlinable public var frameLength: Int { messageOffset &+ messageLength }
    @inlinable public var sourceMAC: MACAddress { MACAddress(load: base, at: 6) }
    @inlinable public var source: IPAddress {
        isV4 ? IPAddress(loadV4: base, at: 26) : IPAddress(loadV6: base, at: 22)
    }
    @inlinable public var destination: IPAddress {
        isV4 ? IPAddress(loadV4: base, at: 30) : IPAddress(loadV6: base, at: 38)
    }
    @inlinable public var identifier: UInt16 { base.be16(messageOffset &+ 4) }
    @inlinable public var sequence: UInt16 { base.be16(messageOffset &+ 6) }

    /// Turns the request into its reply where it lies; `frame` is this view's frame, whose length stays.
    ///
    /// Addresses are swapped, which changes no checksum; those of the type and of the time to live are updated, so that
    /// a wrong one stays wrong. The caller has seen that `destination` is its own address.
    @inlinable
    public func reply(in frame: UnsafeMutableRawPointer, from owner: MACAddress) {
        let (source, destination) = (source, destination)
        sourceMAC.store(to: frame)
        owner.store(to: frame, at: 6)
        let checksumOffset = messageOffset &+ 2
        if isV4 {
            destination.storeV4(to: frame, at: 26)
            source.storeV4(to: frame, at: 30)
            let old = base.be16(22)
            let new = 0x4000 | old & 0xff
            frame.setBE16(InternetChecksum.updated(base.be16(24), from: old, to: new), at: 24)
            frame.setBE16(new, at: 22)
        } else {
            destination.storeV6(to: frame, at: 22)
            source.storeV6(to: frame, at: 38)
            frame.setU8(64, at: 21)
        }
        let old = base.be16(messageOffset)
        let new: UInt16 = (isV4 ? 0 : 129) << 8 | old & 0xff
        frame.setBE16(InternetChecksum.updated(base.be16(checksumOffset), from: old, to: new), at: checksumOffset)
        frame.setBE16(new, at: messageOffset)
    }
}
