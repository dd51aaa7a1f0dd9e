import Mailbox
import Testing
import Wire

@testable import Dataplane

/// The way of frames that are not the data plane's, to the kernel and back.
@Suite(.serialized)
struct ExceptionTests {
    static let remote = IPAddress("10.0.0.77")!
    static let remoteMAC = MACAddress(0x02_0000_0000_77)

    /// An IPv4 frame with 20 bytes of `protocol` behind the header.
    static func frame(
        protocol number: UInt8 = IPProtocol.tcp, to address: IPAddress = World.address, mac: MACAddress = World.mac,
        fragment: Bool = false, from source: IPAddress = remote, ports: (UInt16, UInt16) = (40_000, 443)
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 60)
        bytes.withUnsafeMutableBytes { room in
            let base = room.baseAddress!
            mac.store(to: base)
            Self.remoteMAC.store(to: base, at: 6)
            base.setBE16(EthernetHeader.ipv4, at: 12)
            IPv4Header.write(
                to: base + 14, source: source, destination: address, protocol: number, payloadLength: 26)
            if fragment { base.setBE16(0x2000, at: 20) }
            base.setBE16(ports.0, at: 34)
            base.setBE16(ports.1, at: 36)
            base.setBE16(26, at: 38)
        }
        return bytes
    }

    static func arp(_ operation: ARPPacket.Operation, to target: IPAddress, mac: MACAddress = World.mac) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ARPPacket.frameLength)
        bytes.withUnsafeMutableBytes {
            ARPPacket(
                operation: operation, senderMAC: remoteMAC, senderAddress: remote, targetMAC: mac, targetAddress: target
            ).write(to: $0.baseAddress!)
        }
        return bytes
    }

    static func solicitation(for target: IPAddress) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: NeighborSolicitation.frameLength)
        bytes.withUnsafeMutableBytes {
            NeighborSolicitation(source: IPAddress("fd00::77")!, target: target, sourceMAC: remoteMAC).write(
                to: $0.baseAddress!)
        }
        return bytes
    }

    /// Lets the workers see the frames: those that came out at the kernel, and those that the port sent.
    private func show(_ world: World, _ frames: [UInt8]..., queue: Int = 0) -> (kernel: [[UInt8]], port: [[UInt8]]) {
        for frame in frames { world.port.deliver(frame, to: queue) }
        for number in 0..<2 * world.mailboxes.count {
            _ = world.worker(number % world.mailboxes.count).pointee.turn(now: world.now)
        }
        return (world.kernel.takeTransmitted().map(\.bytes), world.port.takeTransmitted().map(\.bytes))
    }

    @Test func whatIsNotOursReachesTheKernelAsItIs() throws {
        let world = try World(seed: 61, exceptionRate: 10_000)
        let frames = [
            Self.frame(), Self.frame(protocol: IPProtocol.udp, ports: (53, 40_000)),
            Self.frame(protocol: 1), Self.frame(protocol: IPProtocol.udp, fragment: true),
            Self.frame(to: World.anycast), Self.frame(to: IPAddress("224.0.0.5")!, mac: .broadcast),
        ]
        let seen = show(world, frames[0], frames[1], frames[2], frames[3], frames[4], frames[5])
        #expect(seen.kernel == frames)
        #expect(world.worker().pointee.counters[.exceptionToKernel] == 6)
        for reason in DropReason.allCases { #expect(world.worker().pointee.counters[reason] == 0, "\(reason)") }
    }

    @Test func withoutAWayToTheKernelItIsDroppedAndCounted() throws {
        let world = try World(seed: 62)
        let seen = show(
            world, Self.frame(), Self.frame(protocol: IPProtocol.udp, ports: (53, 40_000)),
            Self.frame(protocol: IPProtocol.udp, fragment: true))
        #expect(seen.kernel.isEmpty && seen.port.isEmpty)
        let counters = world.worker().pointee.counters[.notOurs]
        #expect(counters == 1)
        #expect(world.worker().pointee.counters[.unknownPort] == 1)
        #expect(world.worker().pointee.counters[.fragment] == 1)
    }

    @Test func framesToOthersAndMediaNeverReachTheKernel() throws {
        let world = try World(seed: 63, exceptionRate: 10_000)
        let seen = show(
            world, Self.frame(mac: MACAddress(0x02_0000_0000_55)),
            Self.frame(protocol: IPProtocol.udp, ports: (40_000, World.mediaPort)))
        #expect(seen.kernel.isEmpty && seen.port.isEmpty)
        #expect(world.worker().pointee.counters[.notOurs] == 1)
    }

    @Test func theKernelSeesAnswersOfNeighboursButNoQuestionsForOurAddresses() throws {
        let world = try World(seed: 64, exceptionRate: 10_000)
        let reply = Self.arp(.reply, to: World.address)
        let foreign = Self.arp(.request, to: IPAddress("10.0.0.200")!, mac: .zero)
        var broadcast = foreign
        broadcast.replaceSubrange(0..<6, with: [UInt8](repeating: 0xff, count: 6))
        let seen = show(world, Self.arp(.request, to: World.address), reply, broadcast)
        #expect(seen.kernel == [reply, broadcast])
        // Linux asks from the address of the packet that waits.
        let answer = Self.arp(.reply, to: World.anycast)
        #expect(show(world, answer).kernel == [answer])
        #expect(seen.port.count == 1, "the responder answers the first")
    }

    @Test func theLinkIsNotToldOfAnycastAddresses() throws {
        let world = try World(seed: 65, exceptionRate: 10_000)
        let seen = show(
            world, Self.arp(.request, to: World.anycast), Self.solicitation(for: World.anycastV6),
            Self.solicitation(for: World.addressV6))
        #expect(seen.kernel.isEmpty)
        #expect(seen.port.count == 1, "only the one for the port's own address is answered")
        #expect(world.worker().pointee.counters[.notOurs] == 2)
    }

    @Test func theKernelsFramesLeaveAsTheyAreButNotFromTheMediaPort() throws {
        let world = try World(seed: 66, exceptionRate: 10_000)
        let frames = [
            Self.frame(to: Self.remote, mac: Self.remoteMAC, from: World.address),
            Self.arp(.request, to: Self.remote, mac: .zero),
        ]
        for frame in frames { world.kernel.deliver(frame) }
        world.kernel.deliver(
            Self.frame(
                protocol: IPProtocol.udp, to: Self.remote, mac: Self.remoteMAC, from: World.address,
                ports: (World.mediaPort, 40_000)))
        #expect(show(world).port == frames)
        #expect(world.worker().pointee.counters[.exceptionFromKernel] == 2)
        #expect(world.worker().pointee.counters[.exceptionRefused] == 1)
    }

    @Test func aFrameOnAnotherWorkersQueueReachesTheKernelToo() throws {
        let world = try World(workers: 2, seed: 67, exceptionRate: 10_000)
        let frame = Self.frame()
        #expect(show(world, frame, queue: 1).kernel == [frame])
    }

    @Test func aFloodBesideMediaCostsTheMediaNothing() throws {
        let world = try World(workers: 2, seed: 68, exceptionRate: 2_000)
        var (camera, viewer, _, ssrc) = pair(world, workers: (1, 0))
        for number in 0..<60 {
            camera.frame(keyframe: number == 0)
            for _ in 0..<33 {
                // 100,000 frames a second to each worker: 50 times what may pass.
                for queue in 0...1 { for _ in 0..<100 { world.port.deliver(Self.frame(), to: queue) } }
                world.kernel.deliver(Self.frame(to: Self.remote, mac: Self.remoteMAC, from: World.address))
                world.run(1)
            }
        }
        world.run(60)
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.sequences.count == 180)
        #expect(inbox.missing.isEmpty && viewer.retransmissionsReceived == 0 && camera.peer.nacksReceived == 0)
        #expect(world.port.missed == 0)
        let toKernel = world.kernel.takeTransmitted().count
        #expect((7_500...8_500).contains(toKernel), "2 s at 2,000 a second from each worker, not \(toKernel)")
        #expect(world.worker(0).pointee.counters[.exceptionRate] > 100_000)
        #expect(world.worker(0).pointee.counters[.exceptionFromKernel] > 1_900)
        for worker in 0...1 {
            #expect(world.worker(worker).pointee.counters[.handoverFull] == 0)
            #expect(world.worker(worker).pointee.counters[.transmitFull] == 0)
        }
    }

    @Test func busyTurnsPutTheKernelOffButNotForEver() throws {
        let world = try World(seed: 69, exceptionRate: 1_000_000)
        let burst = Worker<MemoryQueue>.burst
        func busyTurn(at now: UInt64) -> Int {
            for _ in 0..<burst { world.port.deliver(Self.frame(mac: MACAddress(0x02_0000_0000_55))) }
            _ = world.worker().pointee.turn(now: now)
            return world.kernel.takeTransmitted().count
        }
        _ = show(world)
        world.port.deliver(Self.frame())
        let start = world.now
        #expect(busyTurn(at: start + 10) == 0)
        #expect(busyTurn(at: start + 500_000) == 0)
        #expect(busyTurn(at: start + 1_000_000) == 1)
        _ = show(world)
    }

    @Test func whatTheKernelDoesNotTakeInTimeIsDropped() throws {
        let world = try World(seed: 70, exceptionRate: 1_000_000)
        for _ in 0..<300 { world.worker().pointee.passToKernel(try #require(mbuf(world)), otherwise: .notOurs, now: 9) }
        #expect(world.worker().pointee.counters[.exceptionRate] == 172)
        for _ in 0..<300 {
            world.worker().pointee.passToKernel(try #require(mbuf(world)), otherwise: .notOurs, now: 1_000_000_009)
        }
        #expect(world.worker().pointee.counters[.exceptionFull] == 0)
        world.worker().pointee.queueForKernel(try #require(mbuf(world)))
        #expect(world.worker().pointee.counters[.exceptionFull] == 1)
    }

    @Test func aRelaysClientDoesNotReachTheKernelsSockets() throws {
        let world = try World(seed: 72, exceptionRate: 10_000)
        let frame = Self.frame(protocol: IPProtocol.udp, ports: (50_000, 53))
        world.worker().pointee.classify(try #require(mbuf(world, frame)), now: world.now, isLooped: true)
        #expect(show(world).kernel.isEmpty)
        #expect(world.worker().pointee.counters[.unknownPort] == 1)
        world.worker().pointee.classify(try #require(mbuf(world, frame)), now: world.now)
        #expect(show(world).kernel == [frame])
    }

    private func mbuf(_ world: World, _ bytes: [UInt8] = frame()) -> Mbuf? {
        guard let mbuf = world.pool.allocate(), let place = mbuf.append(60) else { return nil }
        bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: 60) }
        return mbuf
    }

    @Test func aCheckAtTheAnycastAddressIsAnsweredFromIt() throws {
        let world = try World(seed: 71)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check(to: World.anycast)
        _ = world.worker().pointee.turn(now: world.now)
        let answers = world.port.takeTransmitted().compactMap { frame in
            frame.bytes.withUnsafeBytes { DatagramFrame($0)?.source }
        }
        #expect(answers == [Endpoint(address: World.anycast, port: World.mediaPort)])
    }
}
