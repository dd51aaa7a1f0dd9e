import Testing
import Wire

@testable import Dataplane

@Suite("A NeighborResponder")
struct PortNeighborTests {
    static let mac = MACAddress(0x0200_0000_0001)
    static let peer = MACAddress(0x0200_0000_0099)
    static let own = IPAddress("10.0.0.2")!
    static let own6 = IPAddress("2001:db8::2")!
    static let ownLinkLocal = IPAddress("fe80::ff:fe00:1")!
    static let second: UInt64 = 1_000_000_000

    static func responder(neighbors: Int = 8) -> NeighborResponder {
        NeighborResponder(
            HostConfiguration(
                mac: mac,
                interfaces: [
                    .init(address: own, prefixLength: 24), .init(address: own6, prefixLength: 64),
                ],
                gatewayV4: IPAddress("10.0.0.1"), gatewayV6: IPAddress("fe80::1")), neighbors: neighbors)
    }

    static func arp(
        _ operation: ARPPacket.Operation, from sender: String, mac: MACAddress = peer,
        to target: IPAddress = own
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 60)
        bytes.withUnsafeMutableBytes {
            ARPPacket(
                operation: operation, senderMAC: mac, senderAddress: IPAddress(sender)!,
                targetMAC: Self.mac,
                targetAddress: target
            ).write(to: $0.baseAddress!)
        }
        return bytes
    }

    static func solicitation(from source: String, for target: IPAddress, mac: MACAddress = peer)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: NeighborSolicitation.frameLength)
        bytes.withUnsafeMutableBytes {
            NeighborSolicitation(source: IPAddress(source)!, target: target, sourceMAC: mac).write(
                to: $0.baseAddress!)
        }
        return bytes
    }

    static func advertisement(
        of target: String, mac: MACAddress = peer, to destination: IPAddress = own6
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: NeighborAdvertisement.frameLength)
        bytes.withUnsafeMutableBytes {
            NeighborAdvertisement(
                source: IPAddress(target)!, destination: destination, target: IPAddress(target)!,
                targetMAC: mac,
                isSolicited: true
            ).write(to: $0.baseAddress!, nextHop: Self.mac)
        }
        return bytes
    }

    /// An echo request with `payload`, padded as Ethernet pads.
    static func echo(
        to destination: IPAddress, from source: String, payload: [UInt8], receiver: MACAddress = mac
    )
        -> [UInt8]
    {
        let isV4 = destination.isV4
        let header = isV4 ? 20 : 40
        let length = 8 + payload.count
        var bytes = [UInt8](repeating: 0, count: max(60, 14 + header + length))
        bytes.withUnsafeMutableBytes { raw in
            let base = raw.baseAddress!
            EthernetHeader(
                destination: receiver, source: peer,
                etherType: isV4 ? EthernetHeader.ipv4 : EthernetHeader.ipv6
            ).write(to: base)
            let from = IPAddress(source)!
            var sum: UInt32 = 0
            if isV4 {
                IPv4Header.write(
                    to: base + 14, source: from, destination: destination, protocol: IPProtocol.icmp,
                    payloadLength: length)
            } else {
                IPv6Header.write(
                    to: base + 14, source: from, destination: destination, nextHeader: IPProtocol.icmpv6,
                    payloadLength: length)
                sum = InternetChecksum.pseudoHeader(
                    source: from, destination: destination, protocol: IPProtocol.icmpv6, length: length)
            }
            let message = base + 14 + header
            message.setBE16(isV4 ? 0x0800 : 0x8000, at: 0)
            message.setBE32(0x1234_0001, at: 4)
            for (index, byte) in payload.enumerated() { message.setU8(byte, at: 8 + index) }
            message.setBE16(
                InternetChecksum.finish(sum &+ InternetChecksum.sum(message, count: length)), at: 2)
        }
        return bytes
    }

    /// What the responder makes of a frame, and the frame afterwards.
    static func show(
        _ frame: [UInt8], to responder: inout NeighborResponder, now: UInt64 = 0, pool: BufferPool
    ) throws -> (answer: NeighborAnswer, frame: [UInt8]) {
        let mbuf = try PortFixture.mbuf(frame, from: pool)
        defer { mbuf.free() }
        let answer = responder.handle(mbuf, now: now)
        return (answer, Array(mbuf.bytes))
    }

    static func requests(of responder: inout NeighborResponder, now: UInt64, pool: BufferPool)
        -> [[UInt8]]
    {
        withUnsafeTemporaryAllocation(of: Mbuf.self, capacity: 8) { burst in
            let count = responder.makeRequests(
                into: burst.baseAddress!, capacity: 8, pool: pool, now: now)
            defer { burst.baseAddress!.freeAll(count) }
            return (0..<count).map { Array(burst[$0].bytes) }
        }
    }

    @Test("answers ARP for its own addresses alone")
    func answersARP() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        let (answer, frame) = try Self.show(
            Self.arp(.request, from: "10.0.0.7"), to: &responder, pool: pool)
        #expect(answer == .reply)
        let reply = frame.withUnsafeBytes { ARPPacket(frame: $0) }
        let expected = ARPPacket(
            operation: .reply, senderMAC: Self.mac, senderAddress: Self.own, targetMAC: Self.peer,
            targetAddress: IPAddress("10.0.0.7")!)
        #expect(reply == expected)
        #expect(Array(frame[..<12]) == [2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1])
        let other = Self.arp(.request, from: "10.0.0.7", to: IPAddress("10.0.0.3")!)
        #expect(try result(of: Self.show(other, to: &responder, pool: pool).answer) == .foreign)
        #expect(pool.available == pool.count)
    }

    @Test("answers a probe of a host that has no address yet")
    func answersProbes() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        #expect(
            try result(
                of: Self.show(Self.arp(.request, from: "0.0.0.0"), to: &responder, pool: pool).answer)
                == .reply)
        let probe = Self.solicitation(from: "::", for: Self.own6)
        let (answer, frame) = try Self.show(probe, to: &responder, pool: pool)
        #expect(answer == .reply)
        let reply = try #require(frame.withUnsafeBytes { NeighborAdvertisement(frame: $0) })
        #expect(reply.destination == IPAddress("ff02::1"))
        #expect(!reply.isSolicited)
    }

    @Test("answers solicitations for global and link-local addresses")
    func answersSolicitations() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        for target in [Self.own6, Self.ownLinkLocal] {
            let request = Self.solicitation(from: "fe80::99", for: target)
            let (answer, frame) = try Self.show(request, to: &responder, pool: pool)
            #expect(answer == .reply)
            let reply = try #require(frame.withUnsafeBytes { NeighborAdvertisement(frame: $0) })
            #expect(
                reply.target == target && reply.targetMAC == Self.mac && reply.isSolicited
                    && reply.overrides)
            #expect(reply.destination == IPAddress("fe80::99"))
            #expect(frame.withUnsafeBytes { MACAddress(load: $0.baseAddress!) } == Self.peer)
        }
        let other = Self.solicitation(from: "fe80::99", for: IPAddress("2001:db8::3")!)
        #expect(try result(of: Self.show(other, to: &responder, pool: pool).answer) == .foreign)
    }

    @Test("answers echo of both families without padding", arguments: [0, 1, 17, 56, 1_400])
    func answersEcho(size: Int) throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for (destination, source) in [(Self.own, "10.0.0.7"), (Self.own6, "2001:db8:5::7")] {
            let request = Self.echo(to: destination, from: source, payload: payload)
            let (answer, frame) = try Self.show(request, to: &responder, pool: pool)
            #expect(answer == .reply)
            let header = destination.isV4 ? 20 : 40
            #expect(frame.count == 14 + header + 8 + size)
            #expect(frame[14 + header] == (destination.isV4 ? 0 : 129))
            #expect(Array(frame[(14 + header + 4)...]) == [0x12, 0x34, 0, 1] + payload)
            frame.withUnsafeBytes { raw in
                let base = raw.baseAddress!
                #expect(MACAddress(load: base) == Self.peer && MACAddress(load: base, at: 6) == Self.mac)
                var sum: UInt32 = 0
                if destination.isV4 {
                    let ip = IPv4Header(raw.part(14, raw.count - 14))
                    #expect(ip?.isChecksumValid == true)
                    #expect(ip?.source == destination && ip?.destination == IPAddress(source))
                } else {
                    let ip = IPv6Header(raw.part(14, raw.count - 14))
                    #expect(ip?.source == destination && ip?.destination == IPAddress(source))
                    sum = InternetChecksum.pseudoHeader(
                        source: destination, destination: IPAddress(source)!, protocol: IPProtocol.icmpv6,
                        length: 8 + size)
                }
                let message = InternetChecksum.sum(base + 14 + header, count: 8 + size)
                #expect(InternetChecksum.finish(sum &+ message) == 0)
            }
        }
    }

    @Test("resolves a peer on the link, and everybody else by the gateway")
    func resolves() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        #expect(result(of: responder.nextHop(to: IPAddress("10.0.0.7")!, now: 0)) == .pending)
        #expect(result(of: responder.nextHop(to: IPAddress("192.0.2.1")!, now: 0)) == .pending)
        let asked = Self.requests(of: &responder, now: 0, pool: pool).map { frame in
            frame.withUnsafeBytes { ARPPacket(frame: $0)!.targetAddress.description }
        }
        #expect(asked.sorted() == ["10.0.0.1", "10.0.0.7"])
        let gateway = MACAddress(0x0200_0000_00aa)
        #expect(
            try result(
                of: Self.show(Self.arp(.reply, from: "10.0.0.1", mac: gateway), to: &responder, pool: pool)
            )
            .answer
                == .learned)
        #expect(
            result(of: responder.nextHop(to: IPAddress("192.0.2.1")!, now: 1))
                == .known(gateway, source: Self.own))
        #expect(
            result(of: responder.nextHop(to: IPAddress("198.51.100.9")!, now: 1))
                == .known(gateway, source: Self.own)
        )
        #expect(result(of: responder.nextHop(to: IPAddress("10.0.0.7")!, now: 1)) == .pending)
    }

    @Test("keeps its gateways' addresses known without being asked to send there")
    func keepsGateways() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        #expect(result(of: responder.keepGateways(now: 0)) == 3)
        #expect(Self.requests(of: &responder, now: 0, pool: pool).count == 2)
        #expect(result(of: responder.keepGateways(now: 1)) == 3)
        #expect(Self.requests(of: &responder, now: 1, pool: pool).isEmpty)
        let reply = Self.arp(.reply, from: "10.0.0.1", mac: MACAddress(0x0200_0000_00aa))
        _ = try Self.show(reply, to: &responder, pool: pool)
        #expect(result(of: responder.keepGateways(now: 1)) == 2)
    }

    @Test("resolves IPv6 peers and a link-local gateway from the right addresses")
    func resolvesV6() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        #expect(result(of: responder.nextHop(to: IPAddress("2001:db8::7")!, now: 0)) == .pending)
        #expect(result(of: responder.nextHop(to: IPAddress("2001:db8:9::1")!, now: 0)) == .pending)
        let asked = Self.requests(of: &responder, now: 0, pool: pool).map { frame in
            frame.withUnsafeBytes { NeighborSolicitation(frame: $0)! }
        }
        #expect(asked.map(\.target.description).sorted() == ["2001:db8::7", "fe80::1"])
        for request in asked {
            #expect(request.source == (request.target.isLinkLocal ? Self.ownLinkLocal : Self.own6))
            #expect(request.sourceMAC == Self.mac)
        }
        let answer = Self.advertisement(of: "fe80::1", to: Self.ownLinkLocal)
        #expect(try result(of: Self.show(answer, to: &responder, pool: pool).answer) == .learned)
        #expect(
            result(of: responder.nextHop(to: IPAddress("2001:db8:9::1")!, now: 1))
                == .known(Self.peer, source: Self.ownLinkLocal))
    }

    @Test(
        "asks once a second until answered, again before the answer expires, and not for whom nobody uses"
    )
    func intervals() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        let neighbor = IPAddress("10.0.0.7")!
        _ = responder.nextHop(to: neighbor, now: 0)
        var count = 0
        for tick in 0..<3_000 as Range<UInt64> {
            count += Self.requests(of: &responder, now: tick * 1_000_000, pool: pool).count
        }
        #expect(count == 3)
        let learned = 3 * Self.second
        _ = try Self.show(Self.arp(.reply, from: "10.0.0.7"), to: &responder, now: learned, pool: pool)
        #expect(
            result(of: Self.requests(of: &responder, now: learned + 49 * Self.second, pool: pool).isEmpty)
        )
        #expect(
            result(of: responder.nextHop(to: neighbor, now: learned + 51 * Self.second))
                == .known(Self.peer, source: Self.own))
        #expect(
            result(of: Self.requests(of: &responder, now: learned + 51 * Self.second, pool: pool).count)
                == 1)
        // No answer: it expires, and is forgotten when nobody asks any more.
        #expect(
            result(of: responder.nextHop(to: neighbor, now: learned + 61 * Self.second)) == .pending)
        #expect(
            result(
                of: Self.requests(of: &responder, now: learned + 400 * Self.second, pool: pool).isEmpty))
        #expect(result(of: responder.neighbors.count) == 0)
    }

    @Test("learns only what it asked for, and gives the place of the longest unused away")
    func boundedTable() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder(neighbors: 2)
        for host in 0..<100 {
            _ = try Self.show(Self.arp(.reply, from: "10.0.0.\(100 + host)"), to: &responder, pool: pool)
            _ = try Self.show(
                Self.arp(.request, from: "10.0.0.\(100 + host)"), to: &responder, pool: pool)
        }
        #expect(result(of: responder.neighbors.count) == 0)
        _ = responder.nextHop(to: IPAddress("10.0.0.7")!, now: 1)
        _ = responder.nextHop(to: IPAddress("10.0.0.8")!, now: 2)
        _ = try Self.show(Self.arp(.reply, from: "10.0.0.7"), to: &responder, now: 3, pool: pool)
        _ = try Self.show(Self.arp(.reply, from: "10.0.0.8"), to: &responder, now: 3, pool: pool)
        _ = responder.nextHop(to: IPAddress("10.0.0.7")!, now: 4)
        _ = responder.nextHop(to: IPAddress("10.0.0.9")!, now: 5)
        #expect(result(of: responder.neighbors.count) == 2)
        #expect(
            result(of: responder.nextHop(to: IPAddress("10.0.0.7")!, now: 6))
                == .known(Self.peer, source: Self.own))
    }

    @Test("believes nobody who claims our addresses or a group's link address")
    func imposters() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var responder = Self.responder()
        let group = MACAddress(0x0300_0000_0001)
        _ = responder.nextHop(to: IPAddress("10.0.0.7")!, now: 0)
        _ = responder.nextHop(to: IPAddress("2001:db8::7")!, now: 0)
        for frame in [
            Self.arp(.request, from: "10.0.0.2"), Self.arp(.reply, from: "10.0.0.7", mac: group),
            Self.arp(.reply, from: "10.0.0.7", mac: Self.mac), Self.advertisement(of: "2001:db8::2"),
            Self.advertisement(of: "2001:db8::7", mac: group),
            Self.solicitation(from: "2001:db8::2", for: Self.own6),
            Self.solicitation(from: "2001:db8::7", for: Self.own6, mac: group),
            Self.echo(to: Self.own, from: "10.0.0.2", payload: []),
            Self.echo(to: Self.own, from: "127.0.0.1", payload: []),
        ] {
            #expect(
                try result(of: Self.show(frame, to: &responder, pool: pool).answer) == .drop(.notOurs))
        }
        #expect(result(of: responder.nextHop(to: IPAddress("10.0.0.7")!, now: 1)) == .pending)
        #expect(result(of: responder.nextHop(to: IPAddress("2001:db8::7")!, now: 1)) == .pending)
    }

    @Test("has no way to groups, to itself, and to a family without an address")
    func unreachable() {
        var responder = Self.responder()
        for address in [
            "224.0.0.1", "255.255.255.255", "0.0.0.0", "10.0.0.2", "ff02::1", "2001:db8::2", "::",
        ] {
            #expect(result(of: responder.nextHop(to: IPAddress(address)!, now: 0)) == .unreachable)
        }
        var single = NeighborResponder(
            HostConfiguration(
                mac: Self.mac, interfaces: [.init(address: Self.own, prefixLength: 24)],
                gatewayV6: IPAddress("fe80::1")))
        #expect(result(of: single.nextHop(to: IPAddress("2001:db8::7")!, now: 0)) == .unreachable)
        #expect(result(of: single.nextHop(to: IPAddress("192.0.2.1")!, now: 0)) == .unreachable)
        #expect(result(of: single.neighbors.count) == 0)
    }

    @Test("announces each of its addresses")
    func announces() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        let responder = Self.responder()
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 8)
        defer { burst.deallocate() }
        #expect(result(of: responder.makeAnnouncements(into: burst, capacity: 8, pool: pool)) == 3)
        let arp = try #require(ARPPacket(frame: burst[0].bytes))
        #expect(
            arp.senderAddress == Self.own && arp.targetAddress == Self.own && arp.senderMAC == Self.mac)
        let targets = (1..<3).map { NeighborAdvertisement(frame: burst[$0].bytes)?.target }
        #expect(targets == [Self.own6, Self.ownLinkLocal])
        burst.freeAll(3)
    }

    @Test("survives any bytes", arguments: [1, 2, 3] as [UInt64])
    func survives(seed: UInt64) throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var random = RandomSource(seed: seed)
        var responder = Self.responder()
        let templates = [
            Self.arp(.request, from: "10.0.0.7"), Self.arp(.reply, from: "10.0.0.1"),
            Self.solicitation(from: "fe80::99", for: Self.own6), Self.advertisement(of: "fe80::1"),
            Self.echo(to: Self.own, from: "10.0.0.7", payload: [1, 2, 3]),
            Self.echo(to: Self.own6, from: "2001:db8::7", payload: [1, 2, 3]),
        ]
        for _ in 0..<20_000 {
            var frame = templates[Int(random.next() % 6)]
            for _ in 0..<random.next() % 4 {
                frame[Int(random.next() % UInt64(frame.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            frame.removeLast(Int(random.next() % 3 == 0 ? random.next() % UInt64(frame.count) : 0))
            let (answer, reply) = try Self.show(frame, to: &responder, pool: pool)
            // Never more bytes than came, but for the option that an advertisement adds.
            if answer == .reply {
                #expect(reply.count <= max(frame.count, NeighborAdvertisement.frameLength))
            }
        }
        #expect(pool.available == pool.count)
    }
}
