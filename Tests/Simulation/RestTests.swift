import Mailbox
import Testing
import Wire

@testable import Dataplane

/// When a worker may rest, and what it shows of what waits.
@Suite("A worker that rests")
struct RestTests {
    /// A turn of `worker` now, that found nothing.
    private func rest(_ world: World, _ worker: Int = 0) -> UInt64 {
        while world.worker(worker).pointee.turn(now: world.now) > 0 {}
        return world.worker(worker).pointee.rest(now: world.now)
    }

    @Test("rests until the next round of timers, and not longer")
    func timers() throws {
        let world = try World(seed: 1)
        world.run(1)
        #expect(rest(world) == HousekeepingSchedule.interval)
        #expect(world.worker().pointee.rest(now: world.now + 400_000) == HousekeepingSchedule.interval - 400_000)
        #expect(world.worker().pointee.rest(now: world.now + HousekeepingSchedule.interval) == 0)
    }

    @Test("does not rest while a command, a reply or another worker's message waits")
    func messages() throws {
        let world = try World(workers: 2, seed: 1)
        world.run(1)
        #expect(rest(world) > 0)
        world.command(0, .closeTrack(TrackHandle(worker: 0, index: 1, generation: 1)))
        #expect(rest(world) == 0)
        world.run(1)
        #expect(rest(world) > 0)
        #expect(world.mailboxes[0].replies.push(Datagram(session: .none)))
        #expect(rest(world) == 0)
        world.run(1)
        #expect(rest(world) > 0 && rest(world, 1) > 0)
        let track = TrackHandle(worker: 1, index: 1, generation: 1)
        #expect(world.worker().pointee.siblings.hand(.keyframe(track, layer: 0), to: 1))
        #expect(world.worker(1).pointee.rest(now: world.now) == 0)
        #expect(world.worker(1).pointee.turn(now: world.now) > 0, "a message is work")
    }

    @Test("gives what control says its round at once, and lets a late round catch up")
    func rounds() throws {
        let world = try World(seed: 1)
        world.run(1)
        #expect(rest(world) > 0)
        world.command(0, .closeTrack(TrackHandle(worker: 0, index: 1, generation: 1)))
        #expect(world.worker().pointee.turn(now: world.now) == 0, "not before the round")
        #expect(world.worker().pointee.rest(now: world.now) == 0)
        #expect(world.worker().pointee.turn(now: world.now) == 1)
        let slices = HousekeepingSchedule.slices
        let before = world.worker().pointee.housekeeping.round
        let late = world.now + 5 * HousekeepingSchedule.interval
        _ = world.worker().pointee.turn(now: late)
        #expect(world.worker().pointee.housekeeping.round == (before + 5) % slices)
        // Once around at most, however late.
        _ = world.worker().pointee.turn(now: late + 1_000 * HousekeepingSchedule.interval)
        #expect(world.worker().pointee.housekeeping.round == (before + 5) % slices)
        _ = world.worker().pointee.turn(now: late + 1_001 * HousekeepingSchedule.interval)
        #expect(world.worker().pointee.housekeeping.round == (before + 6) % slices)
    }

    @Test("asks for a neighbour at once, and then rests again")
    func neighbour() throws {
        let world = try World(seed: 1)
        world.run(1)
        #expect(rest(world) > 0)
        _ = world.worker().pointee.neighbors.nextHop(to: IPAddress("10.0.0.77")!, now: world.now)
        #expect(world.worker().pointee.rest(now: world.now) == 0)
        let before = world.worker().pointee.counters[.transmittedPackets]
        #expect(world.worker().pointee.turn(now: world.now) > 0)
        #expect(world.worker().pointee.counters[.transmittedPackets] == before + 1)
        #expect(rest(world) > 0)
    }

    @Test("counts what timers send as work")
    func sending() throws {
        let world = try World(seed: 1)
        var (camera, _, _, _) = pair(world)
        camera.frame(keyframe: true, packets: 9, loses: { $0 == 4 })
        while world.worker().pointee.turn(now: world.now) > 0 {}
        var asked = 0
        for step in 1...100 {
            let before = world.worker().pointee.counters[.transmittedPackets]
            let work = world.worker().pointee.turn(now: world.now + UInt64(step) * World.step)
            let sent = world.worker().pointee.counters[.transmittedPackets] - before
            #expect((work > 0) == (sent > 0))
            if sent > 0 { asked += 1 }
        }
        #expect(asked > 0, "the lost packet was asked for")
    }

    @Test("shows bursts, rings and buffers to control")
    func gauges() throws {
        let world = try World(seed: 1)
        var (camera, _, _, _) = pair(world)
        camera.frame(keyframe: true, packets: 20)
        world.run(25)
        let counters = world.mailboxes[0].counters
        let burst = counters[Distribution.burst]
        #expect(burst.sum == counters[.receivedPackets] && burst.counts[5] == 1, "20 packets came at once")
        #expect(counters[.buffersAvailable] > 0 && counters[.buffersAvailable] <= UInt64(world.pool.count))
        #expect(counters[.commandsWaiting] == 0)
        // More than one round takes.
        for _ in 0..<3_000 { world.command(0, .closeTrack(TrackHandle(worker: 0, index: 9, generation: 1))) }
        world.run(20)
        #expect(world.mailboxes[0].counters[.commandsWaiting] > 1_000)
        world.run(60)
        #expect(world.mailboxes[0].counters[.commandsWaiting] == 0)
    }
}
