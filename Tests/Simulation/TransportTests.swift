import Mailbox
import Testing
import Wire

@testable import Dataplane

@Suite(.serialized)
struct TransportTests {
    @Test func aCheckIsAnsweredAndAWrongPasswordIsNot() throws {
        let world = try World(seed: 21)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check(password: "wrong-password-000000000")
        world.run(3)
        #expect(peer.bindingResponses == 0)
        #expect(world.worker().pointee.counters[.stunBadIntegrity] == 1)
        peer.check()
        world.run(3)
        #expect(peer.bindingResponses == 1)
        #expect(
            world.events.contains {
                if case .sessionValidated(peer.session, peer.endpoint) = $0 { true } else { false }
            })
    }

    @Test func aPeerThatBelievesToBeControlledMustChangeItsRole() throws {
        let world = try World(seed: 22)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check(controlled: true)
        world.run(3)
        #expect(peer.lastError == 487)
    }

    @Test func checksOverIPv6AreAnswered() throws {
        let world = try World(seed: 23)
        let peer = Peer(world, index: 1, v6: true)
        world.run(3)
        peer.check()
        world.run(3)
        #expect(peer.bindingResponses == 1)
    }

    @Test func aCheckThatComesToAnotherWorkerReachesItsOwner() throws {
        let world = try World(workers: 2, seed: 24)
        let peer = Peer(world, worker: 1, index: 1)
        world.run(3)
        peer.check()
        world.run(3)
        #expect(peer.bindingResponses == 1)
        #expect(world.worker(0).pointee.counters[.handoverPackets] == 1)
    }

    @Test func withoutChecksConsentIsGoneAfterThirtySeconds() throws {
        let world = try World(seed: 25)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check()
        world.run(29_000)
        func expired() -> Bool {
            world.events.contains { if case .sessionExpired(peer.session) = $0 { true } else { false } }
        }
        #expect(!expired())
        world.run(1_200)
        #expect(expired())
    }

    @Test func dtlsIsPuntedOnlyAfterACheck() throws {
        let world = try World(seed: 26)
        let peer = Peer(world, index: 1)
        world.run(3)
        world.send([22, 254, 253, 1, 2, 3], from: peer.endpoint, mac: peer.mac)
        world.run(3)
        #expect(world.punts.isEmpty)
        #expect(world.worker().pointee.counters[.dtlsBeforeICE] == 1)
        peer.check()
        world.run(3)
        world.send([22, 254, 253, 1, 2, 3], from: peer.endpoint, mac: peer.mac)
        world.run(3)
        #expect(world.punts.map(\.count) == [6])
        #expect(world.punts.first?.session == peer.session)
    }

    @Test func aClosedSessionLeavesNothingBehind() throws {
        let world = try World(seed: 27)
        let peer = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(peer, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        peer.check()
        viewer.check()
        world.run(5)
        camera.frame(keyframe: true)
        world.run(5)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
        world.command(0, .closeSession(peer.session))
        world.run(5)
        #expect(world.worker().pointee.tracks.count == 0)
        #expect(world.worker().pointee.cachedPackets == 0)
        camera.frame(keyframe: true)
        world.run(5)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
        #expect(world.worker().pointee.counters[.unknownFlow] == 3)
    }

    @Test(arguments: [UInt64(31), 32])
    func anyBytesAreDroppedAndCounted(seed: UInt64) throws {
        let world = try World(seed: seed)
        let peer = Peer(world, index: 1)
        var camera = Camera(peer, index: 1)
        world.run(3)
        peer.check()
        world.run(5)
        camera.frame(keyframe: true)
        world.run(5)
        var random = RandomSource(seed: seed)
        for round in 0..<5_000 {
            let length = Int(random.next() % 200)
            var bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if length > 0 && round % 2 == 0 { bytes[0] = [0, 1, 22, 0x80, 0x90, 0x81][round / 2 % 6] }
            if length > 1 && round % 6 == 0 { bytes[1] = 200 }
            if round % 7 == 0 {
                world.port.deliver(bytes)
            } else {
                world.send(bytes, from: peer.endpoint, mac: peer.mac)
            }
            if round % 50 == 0 { world.run(1) }
        }
        world.run(5)
        // The session lives on.
        let before = peer.bindingResponses
        peer.check()
        world.run(3)
        #expect(peer.bindingResponses == before + 1)
    }
}

@Suite(.serialized)
struct RoamingTests {
    /// Both ways, and with the check far away.
    @Test(arguments: [1, 2])
    func aPeerBehindANewAddressLosesNothing(workers: Int) throws {
        let world = try World(workers: workers, seed: 41)
        let publisher = Peer(world, worker: workers - 1, index: 1)
        let viewer = Peer(world, worker: workers - 1, index: 2)
        var camera = Camera(publisher, index: 1)
        var other = Camera(viewer, index: 2)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        let (back, backSsrc) = openSlot(publisher, index: 2)
        world.command(
            workers - 1, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)),
            .mapSlot(MapSlot(slot: back, track: other.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        for number in 0..<20 {
            if number == 10 { publisher.endpoint.port = 51_234 }
            camera.frame(keyframe: number == 0)
            world.run(5)
            other.frame(keyframe: number == 0)
            world.run(28)
        }
        #expect(viewer.inboxes[ssrc]?.payloads.count == 60)
        #expect(publisher.inboxes[backSsrc]?.payloads.count == 60)
        let moves = world.events.filter { if case .sessionMoved(publisher.session, _) = $0 { true } else { false } }
        #expect(moves.count == 1)
    }

    @Test func aRepeatedPacketFromElsewhereMovesNothing() throws {
        let world = try World(seed: 42)
        let publisher = Peer(world, index: 1)
        var camera = Camera(publisher, index: 1)
        world.run(3)
        publisher.check()
        world.run(3)
        world.port.captures = true
        camera.frame(keyframe: true)
        world.run(3)
        let thief = Endpoint(address: IPAddress("10.0.0.200")!, port: 6_666)
        for frame in world.port.capture where frame.bytes.starts(with: [2, 0, 0, 0, 0, 2]) {
            let payload = Array(frame.bytes.dropFirst(42))
            world.send(payload, from: thief, mac: MACAddress(0x02_0000_0000_99))
        }
        world.run(3)
        #expect(world.worker().pointee.counters[.srtpReplay] == 3)
        #expect(!world.events.contains { if case .sessionMoved = $0 { true } else { false } })
    }
}
