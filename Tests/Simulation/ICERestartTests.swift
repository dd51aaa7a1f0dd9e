import Mailbox
import Testing
import Wire

@testable import Dataplane

/// New credentials for a Session that goes on (RFC 8445 section 9).
@Suite(.serialized)
struct ICERestartTests {
    /// What a peer's checks carry.
    private struct Credentials {
        var ufrag: OwnerUfrag
        var password: String

        init(of peer: Peer) { (ufrag, password) = (peer.ufrag, peer.password) }

        func give(to peer: Peer) { (peer.ufrag, peer.password) = (ufrag, password) }
    }

    /// Tells the worker of a restart, and answers the credentials before it.
    private func restart(_ peer: Peer, in world: World, _ number: UInt64 = 1) -> Credentials {
        let former = Credentials(of: peer)
        peer.ufrag.secret = former.ufrag.secret ^ number
        peer.password = "restarted-password-00000\(number)"
        world.command(
            peer.worker,
            .restartICE(
                RestartICE(
                    session: peer.session, ufragSecret: peer.ufrag.secret, password: ShortText(peer.password)!)))
        world.run(3)
        return former
    }

    /// How many of the checks sent in `body` were answered.
    private func answered(_ peer: Peer, _ world: World, _ body: () -> Void) -> Int {
        let before = peer.bindingResponses
        body()
        world.run(3)
        return peer.bindingResponses - before
    }

    @Test("media go on over the old pair until the new one is nominated, and then over that")
    func mediaGoesOn() throws {
        let world = try World(seed: 601)
        var (camera, viewer, _, ssrc) = pair(world)
        for number in 0..<5 {
            camera.frame(keyframe: number == 0)
            world.run(30)
        }
        let old = viewer.endpoint
        let former = restart(viewer, in: world)
        func received() throws -> Int { try #require(viewer.inboxes[ssrc]).payloads.count }
        var before = try received()
        camera.frame()
        world.run(30)
        #expect(try received() == before + 3)

        viewer.endpoint.port = 51_000
        #expect(answered(viewer, world) { viewer.check(useCandidate: false) } == 1)
        before = try received()
        camera.frame()
        world.run(30)
        #expect(try received() == before, "it is not nominated yet")
        viewer.endpoint = old
        let current = Credentials(of: viewer)
        former.give(to: viewer)
        #expect(answered(viewer, world) { viewer.check() } == 1, "the old pair is still in use")

        current.give(to: viewer)
        viewer.endpoint.port = 51_000
        #expect(answered(viewer, world) { viewer.check() } == 1)
        for _ in 0..<10 {
            camera.frame()
            world.run(33)
        }
        world.run(100)
        #expect(try received() == 3 * (5 + 1 + 1 + 10), "what was sent to the old address was asked for again")
        #expect(
            world.events.contains {
                if case .sessionMoved(viewer.session, viewer.endpoint) = $0 { true } else { false }
            })
    }

    @Test("who was away and goes on elsewhere gets a keyframe without asking", arguments: [false, true])
    func picturesAreRenewed(away: Bool) throws {
        let world = try World(seed: 604)
        var (camera, viewer, _, _) = pair(world)
        for number in 0..<5 {
            camera.frame(keyframe: number == 0)
            world.run(30)
        }
        viewer.check()
        world.run(away ? 1_000 : 100)
        camera.frame()
        world.run(30)
        camera.peer.keyframeRequests.removeAll()
        _ = restart(viewer, in: world)
        viewer.endpoint.port = 51_000
        #expect(answered(viewer, world) { viewer.check() } == 1)
        #expect(camera.peer.keyframeRequests.isEmpty == !away)
    }

    @Test("the old credentials end with the pair that they checked")
    func oldCredentialsEnd() throws {
        let world = try World(seed: 602)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check()
        world.run(3)
        let former = restart(peer, in: world)
        peer.endpoint.port = 51_000
        #expect(answered(peer, world) { peer.check() } == 1)
        former.give(to: peer)
        let unknown = world.worker().pointee.counters[.stunUnknownUser]
        #expect(answered(peer, world) { peer.check() } == 0)
        #expect(world.worker().pointee.counters[.stunUnknownUser] == unknown + 1)
    }

    @Test("each user name goes with its own password")
    func passwordsAreNotMixed() throws {
        let world = try World(seed: 603)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check()
        world.run(3)
        let former = restart(peer, in: world)
        #expect(answered(peer, world) { peer.check(password: former.password) } == 0)
        let new = peer.password
        former.give(to: peer)
        #expect(answered(peer, world) { peer.check(password: new) } == 0)
        #expect(world.worker().pointee.counters[.stunBadIntegrity] == 2)
    }

    @Test("of two restarts the second counts, and the pair in use is known all the while")
    func twice() throws {
        let world = try World(seed: 604)
        let peer = Peer(world, index: 1)
        world.run(3)
        peer.check()
        world.run(3)
        let inUse = restart(peer, in: world, 1)
        let abandoned = restart(peer, in: world, 2)
        let latest = Credentials(of: peer)
        abandoned.give(to: peer)
        #expect(answered(peer, world) { peer.check() } == 0)
        inUse.give(to: peer)
        #expect(answered(peer, world) { peer.check() } == 1)
        latest.give(to: peer)
        #expect(answered(peer, world) { peer.check() } == 1)
    }

    @Test("a restart before the first check, and one of a Session that is gone")
    func atTheEdges() throws {
        let world = try World(seed: 605)
        let peer = Peer(world, index: 1)
        world.run(3)
        _ = restart(peer, in: world)
        #expect(answered(peer, world) { peer.check() } == 1)
        world.command(0, .closeSession(peer.session))
        world.run(3)
        let stale = world.worker().pointee.counters[.staleHandle]
        _ = restart(peer, in: world, 2)
        #expect(world.worker().pointee.counters[.staleHandle] == stale + 1)
        #expect(answered(peer, world) { peer.check() } == 0)
    }
}
