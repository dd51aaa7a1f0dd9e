import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Whose a frame is, on several workers, when addresses change hands.
@Suite(.serialized)
struct RoutingTests {
    /// Two Sessions on two workers whose peers send from one address.
    private func twoOnOneAddress(_ world: World) -> (first: Peer, second: Peer) {
        let first = Peer(world, worker: 0, index: 1)
        let second = Peer(world, worker: 1, index: 1)
        second.endpoint = first.endpoint
        return (first, second)
    }

    @Test("a frame crosses workers once, whatever they believe")
    func noPingPong() throws {
        let world = try World(workers: 2, seed: 61)
        let (first, second) = twoOnOneAddress(world)
        world.peers.removeAll { $0 === second }
        world.run(3)
        second.check()
        first.check()
        world.run(3)
        func crossings() -> UInt64 {
            (0..<2).reduce(0) { $0 + world.worker($1).pointee.counters[.handoverPackets] }
        }
        let before = crossings()
        world.send([22, 254, 253, 1, 2, 3], from: first.endpoint, mac: first.mac)
        world.run(100)
        #expect(crossings() - before <= 1)
    }

    @Test("a Session that ends does not take the flow of its successor along")
    func successorKeepsItsFlow() throws {
        let world = try World(workers: 2, seed: 62)
        let (first, second) = twoOnOneAddress(world)
        world.peers.removeAll { $0 === first }
        world.run(3)
        first.check()
        world.run(25)
        world.command(0, .closeSession(first.session))
        second.check()
        world.run(25)
        second.check()
        world.run(25)
        world.send([22, 254, 253, 1, 2, 3], from: second.endpoint, mac: second.mac)
        world.run(5)
        #expect(world.punts.map(\.session) == [second.session])
    }

    @Test("a check of another from a peer's address costs it nothing for long")
    func stolenFlowComesBack() throws {
        let world = try World(seed: 63)
        var (camera, viewer, _, ssrc) = pair(world)
        let thief = Peer(world, index: 7)
        world.peers.removeAll { $0 === thief }
        world.run(3)
        camera.frame(keyframe: true)
        world.run(30)
        thief.endpoint = camera.peer.endpoint
        thief.check()
        world.run(3)
        camera.peer.check()
        world.run(3)
        let before = try #require(viewer.inboxes[ssrc]).payloads.count
        for _ in 0..<20 {
            camera.frame()
            world.run(33)
        }
        #expect(viewer.inboxes[ssrc]!.payloads.count - before == 60)
    }

    @Test("a peer that checks from a new address without nominating it is followed when the old one is silent")
    func rebindingWithoutNomination() throws {
        let world = try World(seed: 64)
        var (camera, viewer, _, ssrc) = pair(world)
        for number in 0..<5 {
            camera.frame(keyframe: number == 0)
            world.run(30)
        }
        viewer.endpoint.port = 51_000
        for _ in 0..<3 {
            viewer.check(useCandidate: false)
            world.run(2_500)
        }
        let before = try #require(viewer.inboxes[ssrc]).payloads.count
        for _ in 0..<10 {
            camera.frame(keyframe: true)
            world.run(33)
        }
        #expect(viewer.inboxes[ssrc]!.payloads.count - before == 30)
    }

    @Test("one peer's junk for the slow path leaves room for others")
    func puntsAreShared() throws {
        let world = try World(seed: 65)
        let noisy = Peer(world, index: 1)
        let quiet = Peer(world, index: 2)
        world.run(3)
        noisy.check()
        quiet.check()
        world.run(3)
        for _ in 0..<200 { world.send([22, 254, 253, 1, 2, 3], from: noisy.endpoint, mac: noisy.mac) }
        world.send([22, 254, 253, 9], from: quiet.endpoint, mac: quiet.mac)
        world.run(5)
        #expect(world.punts.contains { $0.session == quiet.session })
        #expect(world.punts.count <= 20)
    }
}
