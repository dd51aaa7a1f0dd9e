import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Which pair is selected when a peer nominates several.
@Suite(.serialized)
struct NominationTests {
    private func moves(_ world: World, _ peer: Peer) -> [Endpoint] {
        world.events.compactMap { if case .sessionMoved(peer.session, let remote) = $0 { remote } else { nil } }
    }

    @Test("of several nominations in a row the one of the highest priority wins, without jumping")
    func highestPriorityWins() throws {
        let world = try World(seed: 61)
        let peer = Peer(world, index: 1)
        let addresses = (0..<3).map { Endpoint(address: peer.endpoint.address, port: UInt16(41_000 + $0)) }
        let priorities: [UInt32] = [0x6e00_1eff, 0x6e7f_1eff, 0x6e00_2fff]
        world.run(3)
        // Each check is repeated, as Firefox does that nominates with every check.
        for _ in 0..<5 {
            for (address, priority) in zip(addresses, priorities) {
                peer.check(from: address, priority: priority)
                world.run(20)
            }
        }
        #expect(moves(world, peer) == [addresses[1]])
        #expect(world.worker().pointee.sessions.find(peer.session)?.pointee.remote == addresses[1])
    }

    @Test("a nomination that comes later is followed, whatever its priority")
    func laterNomination() throws {
        let world = try World(seed: 62)
        let peer = Peer(world, index: 1)
        let other = Endpoint(address: peer.endpoint.address, port: 41_000)
        world.run(3)
        peer.check(priority: 0x6e7f_1eff)
        world.run(1_200)
        peer.check(from: other, priority: 0x6e00_1eff)
        world.run(3)
        #expect(moves(world, peer) == [other])
    }

    @Test("a check that nominates nothing takes no place from one that does")
    func checkWithoutNomination() throws {
        let world = try World(seed: 63)
        let peer = Peer(world, index: 1)
        let other = Endpoint(address: peer.endpoint.address, port: 41_000)
        world.run(3)
        peer.check(useCandidate: false, priority: 0x6e7f_1eff)
        world.run(20)
        peer.check(from: other, priority: 0x6e00_1eff)
        world.run(3)
        #expect(moves(world, peer) == [other], "the first check is where we send until one is nominated")
        peer.check(useCandidate: false, priority: 0x6e7f_1eff)
        world.run(3)
        #expect(moves(world, peer) == [other])
    }
}
