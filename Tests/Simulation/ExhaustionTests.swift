import Mailbox
import Testing
import Wire

@testable import Dataplane

@Suite("Exhaustion") struct ExhaustionTests {
    @Test("a pool without buffers costs packets, is counted, and recovers")
    func poolRunsDry() throws {
        let world = try World(seed: 31, buffers: 1_023)
        let (first, viewer, _, ssrc) = pair(world)
        var camera = first
        camera.frame(keyframe: true, packets: 3)
        world.run(20)
        let before = viewer.inboxes[ssrc]?.sequences.count ?? 0
        #expect(before == 3)
        // All but a few, which reception takes before sending does.
        var held: [Mbuf] = []
        while world.pool.available > 40, let buffer = world.pool.allocate() { held.append(buffer) }
        for _ in 0..<20 {
            camera.frame(packets: 8)
            world.run(2)
        }
        #expect(world.worker().pointee.counters[.noBuffer] > 0 || world.port.missed > 0)
        for buffer in held { buffer.free() }
        world.run(1_500)
        let starved = viewer.inboxes[ssrc]?.sequences.count ?? 0
        camera.frame(keyframe: true, packets: 8)
        world.run(100)
        #expect((viewer.inboxes[ssrc]?.sequences.count ?? 0) >= starved + 8)
    }
}
