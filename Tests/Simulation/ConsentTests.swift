import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Who is there, and who may be sent something: consent comes with checks alone (RFC 7675), life with media too.
@Suite(.serialized)
struct ConsentTests {
    private func isExpired(_ world: World, _ peer: Peer) -> Bool {
        world.events.contains { if case .sessionExpired(peer.session) = $0 { true } else { false } }
    }

    /// When frames for the peer leave the port, ns.
    private func noteFrames(to peer: Peer, _ world: World) -> () -> [UInt64] {
        final class Times { var list: [UInt64] = [] }
        let times = Times()
        world.onFrame = { [unowned world] frame in
            frame.withUnsafeBytes { bytes in
                guard let datagram = DatagramFrame(bytes), datagram.destination == peer.endpoint else { return }
                times.list.append(world.now)
            }
        }
        return { times.list }
    }

    @Test(
        "a publisher who checks once and sends media stays, and is sent nothing after consent",
        arguments: [true, false])
    func mediaWithoutChecks(indicates: Bool) throws {
        let world = try World(seed: 71)
        var (camera, viewer, _, ssrc) = pair(world)
        let publisher = camera.peer
        let (slot, _) = openSlot(publisher, index: 3)
        var other = Camera(viewer, index: 2)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: other.track, maxHeight: 720)))
        let sentAt = noteFrames(to: publisher, world)
        let checkedAt = world.now
        publisher.check()
        for number in 0..<2_250 {
            camera.frame(keyframe: number % 50 == 0, packets: 1)
            other.frame(keyframe: number % 50 == 0, packets: 1)
            if number % 100 == 0 { viewer.check() }
            if indicates, number % 750 == 0 { publisher.indicate() }
            world.run(20)
        }
        #expect(!isExpired(world, publisher))
        #expect(viewer.inboxes[ssrc]?.payloads.count == 2_250, "its media is forwarded for 45 s")
        let consent = checkedAt + Session.consentExpiry
        #expect(sentAt().contains { $0 > consent - 1_000_000_000 })
        #expect(!sentAt().contains { $0 > consent + 100_000_000 })
        // A check brings all of it back.
        publisher.check()
        let count = sentAt().count
        other.frame(keyframe: true, packets: 1)
        world.run(60)
        #expect(sentAt().count > count + 1)
    }

    @Test("who shows nothing of itself for 15 s is told to be silent, and to be heard again")
    func silenceIsTold() throws {
        let world = try World(seed: 74)
        let (_, viewer, _, _) = pair(world)
        func told() -> [Bool] {
            world.events.compactMap {
                switch $0 {
                case .sessionSilent(viewer.session): true
                case .sessionHeard(viewer.session): false
                default: nil
                }
            }
        }
        viewer.check()
        world.run(14_900)
        #expect(told() == [])
        world.run(1_200)
        #expect(told() == [true])
        viewer.check()
        world.run(1_200)
        #expect(told() == [true, false])
        world.run(10_000)
        #expect(told() == [true, false])
    }

    @Test("who neither checks nor sends is gone after 30 s")
    func silence() throws {
        let world = try World(seed: 72)
        var (camera, viewer, _, _) = pair(world)
        for number in 0..<500 {
            camera.frame(keyframe: number == 0, packets: 1)
            world.run(20)
        }
        // The viewer only receives: its reports show that it is there, but it can be sent nothing.
        for _ in 0..<22 {
            viewer.sendRTCP { _ in }
            world.run(1_000)
        }
        #expect(isExpired(world, viewer))
        #expect(!isExpired(world, camera.peer), "sent media until 10 s after its check")
        world.run(10_000)
        #expect(isExpired(world, camera.peer))
    }

    @Test("media from elsewhere, or that is not authentic, is no sign of life")
    func forgedMedia() throws {
        let world = try World(seed: 73)
        let (camera, _, _, _) = pair(world)
        for _ in 0..<1_600 {
            world.send(
                [0x80, 96, 0, 1] + [UInt8](repeating: 7, count: 60), from: camera.peer.endpoint, mac: camera.peer.mac)
            world.run(20)
        }
        #expect(isExpired(world, camera.peer))
    }
}
