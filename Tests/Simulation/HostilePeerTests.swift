import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What a peer with valid credentials may try, and what must not come of it.
@Suite(.serialized)
struct HostilePeerTests {
    @Test func anAddressThatAnotherSessionTookIsBackWithTheNextCheck() throws {
        let world = try World(seed: 51)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        let thief = Peer(world, index: 3)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(3)
        thief.endpoint = publisher.endpoint
        thief.check()
        world.run(3)
        // What comes for the publisher is not for the thief to judge.
        thief.endpoint.port = 1
        publisher.check()
        world.run(3)
        camera.frame(keyframe: true)
        world.run(5)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
    }

    @Test func packetsThatWaitKeepTheirHeadersWhenThePeerChangesTheAddressFamily() throws {
        let world = try World(seed: 52)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        var other = Camera(viewer, index: 2)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        camera.frame(keyframe: true)
        other.frame(keyframe: true)
        world.run(5)
        // In one burst: three packets for the viewer, then its own from an IPv6 address.
        camera.frame()
        viewer.endpoint = Endpoint(address: IPAddress("fd00::77")!, port: 40_000)
        other.frame()
        world.run(1)
        camera.frame()
        world.run(5)
        // The peer records what it cannot open; what went to its old address is lost to it.
        #expect(viewer.inboxes[ssrc]?.sequences.count == 6)
    }

    @Test func packetsThatWaitAreSealedWithTheKeysOfTheirTime() throws {
        let world = try World(seed: 53)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        camera.frame(keyframe: true)
        let keys = SRTPMasterKey()
        world.command(
            0,
            .installKeys(
                InstallKeys(session: viewer.session, profile: .aeadAes256Gcm, receive: keys, send: keys)))
        world.run(1)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
    }

    @Test func oneDatagramOfRequestsHasABoundedAnswer() throws {
        let world = try World(seed: 54)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(5)
        }
        let sequences = try #require(viewer.inboxes[ssrc]).sequences.suffix(64).map { UInt16(truncatingIfNeeded: $0) }
        viewer.sendRTCP { writer in
            for _ in 0..<30 {
                sequences.withUnsafeBufferPointer {
                    _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0)
                }
            }
        }
        world.run(2)
        let sent = world.worker().pointee.counters[.retransmittedPackets]
        #expect(sent >= 64 && sent <= 256, "\(sent) packets for one datagram")
    }

    @Test func aRequestForThePastOfALayerIsNotAnsweredWithItsPresent() throws {
        let world = try World(seed: 55)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        let camera = Camera(publisher, index: 1, names: true)
        let (slot, ssrc) = openSlot(viewer, index: 1, rtx: false)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        // A publisher that starts anew takes another SSRC, and may count from where it did before.
        for source in [UInt32(1), 2] {
            for index in 0..<3 {
                publisher.sendRTP(
                    ssrc: source, payloadType: Camera.payloadType, index: UInt64(100 + index), timestamp: 3_000,
                    payload: [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0, UInt8(source), UInt8(index)],
                    mid: "v1", rid: "q")
            }
            world.run(5 + Int(Layer.bindingInterval / World.step))
        }
        let sequences = try #require(viewer.inboxes[ssrc]).sequences
        #expect(sequences.count == 6)
        let past = sequences.prefix(3).map { UInt16(truncatingIfNeeded: $0) }
        viewer.sendRTCP { writer in
            past.withUnsafeBufferPointer { _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0) }
        }
        world.run(2)
        // The peer records one number with two contents.
        #expect(world.worker().pointee.counters[.retransmittedPackets] == 0)
    }

    @Test func junkFromAPeersAddressCostsItsStreamsNothing() throws {
        let world = try World(seed: 56)
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        world.send([0x80, 96] + [UInt8](repeating: 7, count: 50), from: publisher.endpoint, mac: publisher.mac)
        world.run(1)
        camera.frame(keyframe: true)
        world.run(5)
        #expect(world.worker().pointee.counters[.srtpAuthentication] == 1)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
    }
}
