import Mailbox
import Wire

/// How the `NeighborResponder` handled a frame.
enum NeighborAnswer: BitwiseCopyable, Equatable {
    /// The mbuf now holds the answer: transmit it.
    case reply
    /// A neighbour's answer, noted if it was asked for here. A worker on another queue may have asked, and never sees
    /// it: show it to all of them (`handle`, with a reference of their own each), then free it.
    case learned
    /// For us and done with, or not worth an answer: count the reason, free it.
    case drop(DropReason)
    /// Not ours: an address of another, or a protocol that is not spoken here.
    case foreign
}

/// Serves the port's own addresses: answers ARP requests (RFC 826), neighbour solicitations (RFC 4861) and
/// echo requests (RFC 792, RFC 4443) in place, and resolves next hops.
///
/// One per worker, used by its thread alone; allocates nothing after `init`.
struct NeighborResponder: ~Copyable {
    let mac: MACAddress
    private let gatewayV4: IPAddress?
    private let gatewayV6: IPAddress?
    private let interfaces: UnsafeMutablePointer<HostConfiguration.Interface>
    private let interfaceCount: Int
    private let anycast: UnsafeMutablePointer<IPAddress>
    private let anycastCount: Int
    private(set) var neighbors: NeighborTable

    init(_ configuration: HostConfiguration, neighbors capacity: Int = 64) {
        let all = configuration.effectiveInterfaces
        mac = configuration.mac
        gatewayV4 = configuration.gatewayV4
        gatewayV6 = configuration.gatewayV6
        interfaceCount = all.count
        interfaces = .allocate(capacity: max(all.count, 1))
        for (index, interface) in all.enumerated() { (interfaces + index).initialize(to: interface) }
        let anycastCount = min(configuration.anycast.count, HostConfiguration.mostInterfaces)
        self.anycastCount = anycastCount
        anycast = .allocate(capacity: max(anycastCount, 1))
        for index in 0..<anycastCount { (anycast + index).initialize(to: configuration.anycast[index]) }
        neighbors = NeighborTable(capacity: capacity)
    }

    deinit {
        interfaces.deallocate()
        anycast.deallocate()
    }

    /// Whether `address` is one of the port's own, anycast ones included.
    @inline(__always)
    func isOwn(_ address: IPAddress) -> Bool { isOnPort(address) || isAnycast(address) }

    /// Whether `address` is one that the link knows us by.
    @inline(__always)
    private func isOnPort(_ address: IPAddress) -> Bool {
        for index in 0..<interfaceCount where interfaces[index].address == address { return true }
        return false
    }

    @inline(__always)
    private func isAnycast(_ address: IPAddress) -> Bool {
        for index in 0..<anycastCount where anycast[index] == address { return true }
        return false
    }

    /// Which of the port's own addresses it is, anycast ones last; nil for others'.
    @inline(__always)
    func ownIndex(of address: IPAddress) -> Int? {
        for index in 0..<interfaceCount where interfaces[index].address == address { return index }
        for index in 0..<anycastCount where anycast[index] == address { return interfaceCount &+ index }
        return nil
    }

    /// The first of the port's own addresses of a family, link-local ones aside.
    func firstAddress(isV4: Bool) -> IPAddress? {
        for index in 0..<interfaceCount {
            let address = interfaces[index].address
            if address.isV4 == isV4 && !address.isLinkLocal { return address }
        }
        return nil
    }

    /// How to reach `destination`: on the link of one of our interfaces, or by the gateway. What is not known yet
    /// is asked for by `makeRequests`.
    mutating func nextHop(to destination: IPAddress, now: UInt64) -> NextHop {
        guard !destination.isMulticast, !destination.isBroadcast, !destination.isUnspecified,
            !isOwn(destination),
            let hop = onLink(destination) ? destination : gateway(for: destination),
            let source = source(for: hop)
        else { return .unreachable }
        guard let mac = neighbors.resolve(hop, now: now) else { return .pending }
        return .known(mac, source: source)
    }

    /// An ARP, ICMP or ICMPv6 frame (any frame may be shown). `now` in ns.
    mutating func handle(_ mbuf: Mbuf, now: UInt64) -> NeighborAnswer {
        switch DatagramFrame.classify(mbuf.bytes) {
        case .arp: handleARP(mbuf, now: now)
        case .icmp: handleEcho(mbuf)
        case .neighbor: handleNeighbor(mbuf, now: now)
        default: .foreign
        }
    }

    /// Keeps the gateways' link addresses known, so that the first packet beyond the link need not wait. Call it now
    /// and then. Answers those that are not known: bit 0 the IPv4 one, bit 1 the IPv6 one.
    mutating func keepGateways(now: UInt64) -> UInt64 {
        var missing: UInt64 = 0
        if let gatewayV4, neighbors.resolve(gatewayV4, now: now) == nil { missing |= 1 }
        if let gatewayV6, neighbors.resolve(gatewayV6, now: now) == nil { missing |= 2 }
        return missing
    }

    /// Whether a request is due for a neighbour that packets are waiting for.
    var hasUrgentRequest: Bool { neighbors.hasStranger }

    /// Makes the ARP requests and neighbour solicitations that are due, to be transmitted: how many. Call it from
    /// housekeeping.
    mutating func makeRequests(
        into burst: UnsafeMutablePointer<Mbuf>, capacity: Int, pool: BufferPool, now: UInt64
    ) -> Int {
        var count = 0
        while count < capacity, let neighbor = neighbors.nextRequest(now: now) {
            guard let source = source(for: neighbor) else { continue }
            // An empty pool costs this neighbour one interval.
            guard let mbuf = pool.allocate() else { break }
            if neighbor.isV4 {
                writeARP(
                    ARPPacket(
                        operation: .request, senderMAC: mac, senderAddress: source, targetMAC: .zero,
                        targetAddress: neighbor), to: mbuf)
            } else if mbuf.setLength(NeighborSolicitation.frameLength) {
                NeighborSolicitation(source: source, target: neighbor, sourceMAC: mac).write(to: mbuf.data)
            }
            burst[count] = mbuf
            count &+= 1
        }
        return count
    }

    /// Tells the link where our addresses live now, after a start or a takeover: gratuitous ARP (RFC 5227 section 3)
    /// and unsolicited advertisements (RFC 4861 section 7.2.6). One worker sends them: how many.
    func makeAnnouncements(into burst: UnsafeMutablePointer<Mbuf>, capacity: Int, pool: BufferPool)
        -> Int
    {
        var count = 0
        for index in 0..<interfaceCount where count < capacity {
            let address = interfaces[index].address
            guard let mbuf = pool.allocate() else { break }
            if address.isV4 {
                writeARP(
                    ARPPacket(
                        operation: .request, senderMAC: mac, senderAddress: address, targetMAC: .zero,
                        targetAddress: address), to: mbuf)
            } else if mbuf.setLength(NeighborAdvertisement.frameLength) {
                let allNodes = IPAddress(high: 0xff02_0000_0000_0000, low: 1)
                NeighborAdvertisement(
                    source: address, destination: allNodes, target: address, targetMAC: mac,
                    isSolicited: false
                ).write(to: mbuf.data, nextHop: .broadcast)
            }
            burst[count] = mbuf
            count &+= 1
        }
        return count
    }

    private func onLink(_ address: IPAddress) -> Bool {
        for index in 0..<interfaceCount {
            if address.isInside(interfaces[index].address, prefixLength: interfaces[index].prefixLength) {
                return true
            }
        }
        return false
    }

    private func gateway(for address: IPAddress) -> IPAddress? {
        address.isV4 ? gatewayV4 : gatewayV6
    }

    /// Our address toward a neighbour: the one that shares its prefix, otherwise the first of its family.
    private func source(for neighbor: IPAddress) -> IPAddress? {
        var first: IPAddress?
        for index in 0..<interfaceCount {
            let interface = interfaces[index]
            if neighbor.isInside(interface.address, prefixLength: interface.prefixLength) {
                return interface.address
            }
            if first == nil && interface.address.isV4 == neighbor.isV4 { first = interface.address }
        }
        return first
    }

    private mutating func handleARP(_ mbuf: Mbuf, now: UInt64) -> NeighborAnswer {
        guard let packet = ARPPacket(frame: mbuf.bytes) else { return .drop(.truncated) }
        let receiver = MACAddress(load: mbuf.data)
        guard !packet.senderMAC.isMulticast, packet.senderMAC != mac, !isOwn(packet.senderAddress)
        else {
            return .drop(.notOurs)
        }
        // An anycast address is routed, and not to be found on the link. The kernel may ask for others from it.
        if packet.operation == .request, isAnycast(packet.targetAddress) { return .drop(.notOurs) }
        guard receiver == mac || receiver.isMulticast, isOwn(packet.targetAddress) else {
            // Gratuitous ARP: a neighbour in use has another link address now.
            let isGratuitous = packet.senderAddress == packet.targetAddress
            return isGratuitous && neighbors.learn(packet.senderAddress, packet.senderMAC, now: now)
                ? .learned : .foreign
        }
        _ = neighbors.learn(packet.senderAddress, packet.senderMAC, now: now)
        guard packet.operation == .request else { return .learned }
        writeARP(packet.reply(from: mac), to: mbuf)
        return .reply
    }

    private func handleEcho(_ mbuf: Mbuf) -> NeighborAnswer {
        guard let echo = ICMPEcho(frame: mbuf.bytes) else { return .drop(.truncated) }
        guard MACAddress(load: mbuf.data) == mac, isOwn(echo.destination) else { return .foreign }
        guard !echo.sourceMAC.isMulticast, !isOwn(echo.source), !echo.source.isUnspecified,
            !echo.source.isLoopback
        else { return .drop(.notOurs) }
        guard mbuf.setLength(echo.frameLength) else { return .drop(.truncated) }
        echo.reply(in: mbuf.data, from: mac)
        mbuf.clearOffloads()
        return .reply
    }

    private mutating func handleNeighbor(_ mbuf: Mbuf, now: UInt64) -> NeighborAnswer {
        let receiver = MACAddress(load: mbuf.data)
        guard receiver == mac || receiver.isMulticast else { return .foreign }
        if let advertisement = NeighborAdvertisement(frame: mbuf.bytes) {
            guard !isOwn(advertisement.target), !advertisement.targetMAC.isMulticast else {
                return .drop(.notOurs)
            }
            _ = neighbors.learn(advertisement.target, advertisement.targetMAC, now: now)
            return .learned
        }
        guard let solicitation = NeighborSolicitation(frame: mbuf.bytes) else {
            return .drop(.truncated)
        }
        if isAnycast(solicitation.target) { return .drop(.notOurs) }
        guard isOnPort(solicitation.target) else { return .foreign }
        guard !solicitation.sourceMAC.isMulticast, solicitation.sourceMAC != mac,
            !isOwn(solicitation.source)
        else {
            return .drop(.notOurs)
        }
        if !solicitation.source.isUnspecified {
            _ = neighbors.learn(solicitation.source, solicitation.sourceMAC, now: now)
        }
        guard mbuf.setLength(NeighborAdvertisement.frameLength) else { return .drop(.truncated) }
        NeighborAdvertisement(answering: solicitation, owner: mac)
            .write(to: mbuf.data, nextHop: solicitation.sourceMAC)
        mbuf.clearOffloads()
        return .reply
    }

    private func writeARP(_ packet: ARPPacket, to mbuf: Mbuf) {
        // A request's buffer may hold what others sent behind its 42 bytes: that is not sent back.
        guard mbuf.setLength(ARPPacket.frameLength) else { return }
        packet.write(to: mbuf.data)
        mbuf.clearOffloads()
    }
}
