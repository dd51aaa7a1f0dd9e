import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Several workers, streams, and the short circuit to Sessions.
@Suite struct TURNWorkersTests {
    static let peer = Endpoint("10.0.0.200:9000")!

    /// Whatever queue the device gives a frame to, its worker gets it.
    @Test(arguments: [0, 1, 2])
    func straysFindTheirWorker(_ seed: UInt64) throws {
        let stage = try TURNStage(workers: 3, seed: seed)
        var random = RandomSource(seed: seed)
        stage.queue = { _ in Int.random(in: 0..<3, using: &random) }
        var owners: Set<Int> = []
        for number in 0..<12 {
            let user = TURNUser(stage, "10.0.0.\(100 + number):4000")
            #expect(user.allocate()?.isSuccess == true && user.bind(0x4000, Self.peer)?.isSuccess == true)
            owners.insert(stage.world.worker().pointee.relay.owner(ofPort: user.relayed.port) ?? -1)
            for round in 0..<8 {
                user.send(TURNUser.channelData(0x4000, [UInt8(round)]))
                stage.run(3)
                stage.send([UInt8(round)], from: Self.peer, to: user.relayed)
                stage.run(3)
            }
            // The first may be lost while the neighbour is asked for.
            #expect(stage.take(Self.peer).count >= 7 && user.takeArrivals().count == 8)
        }
        #expect(owners.count > 1 && !owners.contains(-1))
        stage.world.leap(seconds: 4_000)
        stage.run(20)
        stage.expectNothingHeld()
    }

    /// RFC 8016: the new address leads to another worker, the allocation stays on its own.
    @Test func aMovedClientIsAnnounced() throws {
        let stage = try TURNStage(workers: 2)
        stage.queue = { endpoint in Int(endpoint.port) % 2 }
        let user = TURNUser(stage, "10.0.0.100:4000")
        var ticket = try #require(
            user.allocate { $0.addFlag(STUNAttributeType.mobilityTicket) }?.value(STUNAttributeType.mobilityTicket))
        user.bind(0x4000, Self.peer)
        for number in 0..<6 {
            user.endpoint = Endpoint("10.0.0.\(120 + number):\(5_000 + number)")!
            user.learnNonce()
            let answer = user.refresh(900) { writer in
                ticket.withUnsafeBytes { writer.add(STUNAttributeType.mobilityTicket, $0) }
            }
            ticket = try #require(answer?.value(STUNAttributeType.mobilityTicket))
            for _ in 0..<2 {
                user.send(TURNUser.channelData(0x4000, [UInt8(number)]))
                stage.run(3)
            }
            #expect(stage.take(Self.peer).last?.payload == [UInt8(number)])
            stage.send([7], from: Self.peer, to: user.relayed)
            stage.run(3)
            #expect(user.takeArrivals().count == 1 && user.permit(Self.peer)?.isSuccess == true)
        }
        user.refresh(0)
        stage.run(4)
        stage.expectNothingHeld()
    }

    /// A token of one worker, a client whose address leads to another.
    @Test func aReservedPortIsHadFromAnyAddress() throws {
        let stage = try TURNStage(workers: 2)
        for number in 0..<8 {
            let one = TURNUser(stage, "10.0.0.\(100 + number):4000")
            let token = try #require(
                one.allocate { $0.addEvenPort(reserve: true) }?.value(STUNAttributeType.reservationToken))
            let two = TURNUser(stage, "10.0.0.\(120 + number):4000")
            two.allocate { writer in token.withUnsafeBytes { writer.add(STUNAttributeType.reservationToken, $0) } }
            #expect(two.relayed?.port == one.relayed.port + 1)
            #expect(two.bind(0x4000, Self.peer)?.isSuccess == true && two.refresh(0)?.isSuccess == true)
            one.refresh(0)
        }
        stage.run(4)
        stage.expectNothingHeld()
    }

    /// A client that hears of its allocation asks for more at once, and the worker that gets that was busy meanwhile.
    @Test func anAllocationIsKnownBeforeItsClientSpeaks() throws {
        let stage = try TURNStage(workers: 2)
        for number in 0..<8 {
            let one = TURNUser(stage, "10.0.0.\(100 + number):4000")
            let token = try #require(
                one.allocate { $0.addEvenPort(reserve: true) }?.value(STUNAttributeType.reservationToken))
            let owner = stage.world.worker().pointee.relay.owner(ofPort: one.relayed.port)!
            let two = TURNUser(stage, "10.0.0.\(120 + number):4000")
            two.learnNonce()
            stage.queue = { _ in owner }
            stage.world.held = [1 - owner]
            two.allocate { $0.add(STUNAttributeType.reservationToken, bytes: token) }
            stage.queue = { _ in 1 - owner }
            two.send(two.message(STUNMethod.refresh) { $0.add(STUNAttributeType.lifetime, UInt32(600)) })
            stage.world.held = []
            stage.run(4)
            #expect(two.collect().map(\.errorCode) == [nil])
            stage.queue = { _ in 0 }
        }
    }

    /// A participant behind the relay joins: checks and media stay in the worker, on any of two workers, and the relayed
    /// address need not be routable.
    @Test(arguments: [0, 1], [false, true])
    func aRelayedPeerIsServedInside(_ worker: Int, _ isRoutable: Bool) throws {
        let relay = isRoutable ? World.address : IPAddress("192.0.2.77")!
        let stage = try TURNStage(workers: 2, configuration: TURNStage.configuration(v4: .init(local: relay)))
        let user = TURNUser(stage, "10.0.0.100:4000")
        #expect(user.allocate()?.isSuccess == true && user.relayed.address == relay)
        #expect(user.bind(0x4000, TURNStage.media)?.isSuccess == true)
        let (camera, viewer, _, ssrc) = relayedPair(stage, user, worker: worker)
        var sender = camera
        for frame in 0..<20 {
            sender.frame(keyframe: frame == 0)
            stage.run(20)
        }
        #expect(viewer.inboxes[ssrc]?.sequences.count ?? 0 > 30)
        #expect(stage.counters[.relayShortCircuit] > 60 && stage.counters[.relayedPacketsToClient] > 30)
        #expect(stage.counters[.relayLoop] == 0 && stage.counters[.badAddress] == 0)
        // Nothing of it was on the wire.
        #expect(stage.inboxes[user.relayed] == nil && stage.inboxes[TURNStage.media] == nil)
    }

    /// A publisher on the link, and a viewer who speaks through `user`'s allocation.
    private func relayedPair(
        _ stage: TURNStage, _ user: TURNUser, worker: Int
    ) -> (Camera, Peer, SlotHandle, UInt32) {
        let world = stage.world
        let publisher = Peer(world, worker: worker, index: 1)
        let viewer = Peer(world, worker: worker, index: 2)
        let camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(worker, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        // The viewer's socket is the TURN client's.
        viewer.endpoint = user.endpoint
        viewer.wrap = { TURNUser.channelData(0x4000, $0) }
        viewer.unwrap = { $0.first == 0x40 ? Array($0.dropFirst(4)) : nil }
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(10)
        return (camera, viewer, slot, ssrc)
    }

    /// TURN inside TURN through ourselves is refused.
    @Test func aRelayIsNoClientOfItself() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        user.bind(0x4000, TURNStage.media)
        let inner = user.message(STUNMethod.allocate, isBare: true) { $0.addTransport() }
        user.send(TURNUser.channelData(0x4000, inner))
        user.send(TURNUser.channelData(0x4000, TURNUser.channelData(0x4000, [1])))
        stage.run(3)
        #expect(stage.counters[.relayLoop] == 2 && user.takeArrivals().isEmpty)
        #expect(user.bind(0x4001, Endpoint(address: World.address, port: 22))?.errorCode == 403)
    }

    /// RFC 8656 section 3.1: over a connection that control holds.
    @Test func aStreamIsRelayed() throws {
        let stage = try TURNStage()
        let client = TURNClient(
            stream: 77, transport: .tls, remote: Endpoint("198.51.100.9:50123")!, local: Endpoint("192.0.2.1:443")!)
        let user = TURNUser(stage, "10.0.0.100:4000")
        func exchange(_ bytes: [UInt8]) throws -> [[UInt8]] {
            var message = TURNStreamMessage(client)
            #expect(bytes.withUnsafeBytes { message.fill($0) })
            #expect(stage.world.mailboxes[0].turn.arrivals.push(message))
            stage.run(4)
            defer { stage.departures.removeAll() }
            return stage.departures.map { departure in
                #expect(departure.client == client && departure.count % 4 == 0)
                return withUnsafeBytes(of: departure.bytes) { Array($0.prefix(Int(departure.count))) }
            }
        }
        let challenge = try #require(
            try exchange(user.message(STUNMethod.allocate, isBare: true) { $0.addTransport() }).first)
        user.nonce = TURNAnswer(bytes: challenge).value(STUNAttributeType.nonce) ?? []
        let answer = TURNAnswer(
            bytes: try #require(try exchange(user.message(STUNMethod.allocate) { $0.addTransport() }).first))
        #expect(answer.isSuccess && answer.endpoints(STUNAttributeType.xorMappedAddress) == [client.remote])
        let relayed = try #require(answer.endpoints(STUNAttributeType.xorRelayedAddress).first)
        _ = try exchange(
            user.message(STUNMethod.channelBind) {
                $0.add(STUNAttributeType.channelNumber, UInt32(0x4000_0000))
                $0.add(STUNAttributeType.xorPeerAddress, xored: Self.peer)
            })
        stage.send([1, 2, 3], from: Self.peer, to: relayed)
        #expect(try exchange(TURNUser.channelData(0x4000, [9, 8])) == [TURNUser.channelData(0x4000, [1, 2, 3]) + [0]])
        #expect(stage.take(Self.peer).map(\.payload) == [[9, 8]])
        #expect(stage.world.mailboxes[0].turn.arrivals.push(TURNStreamMessage(client, closed: true)))
        stage.run(2)
        stage.expectNothingHeld()
        guard case .allocationClosed(_, _, _, .disconnected) = try #require(stage.events.last) else {
            Issue.record("the end was not told")
            return
        }
    }

    @Test func aStandInIsNeverOnTheWire() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        let bytes = user.message(STUNMethod.allocate, isBare: true) { $0.addTransport() }
        stage.send(bytes, from: TURNClient.streamEndpoint(77), to: TURNStage.mediaV6)
        stage.run(2)
        #expect(stage.counters[.badAddress] == 1 && stage.counters[.turnChallenges] == 0)
    }
}
