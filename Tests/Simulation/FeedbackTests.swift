import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What a publisher hears of its packets: libwebrtc takes silence of 2 s for congestion.
@Suite(.serialized)
struct FeedbackTests {
    @Test("feedback goes on through joins, moves, changes of viewers and a hang of the worker")
    func neverPauses() throws {
        let world = try World(seed: 65)
        var (camera, _, slot, _) = pair(world)
        let publisher = camera.peer
        for number in 0..<500 {
            camera.frame(keyframe: number % 50 == 0, packets: 2)
            switch number {
            case 100: publisher.endpoint.port = 51_234
            case 150..<200:
                let peer = Peer(world, index: UInt32(number - 140))
                _ = openSlot(peer, index: UInt32(number))
            case 250...300:
                let track = number % 2 == 0 ? TrackHandle.none : camera.track
                world.command(0, .mapSlot(MapSlot(slot: slot, track: track, maxHeight: 720)))
            case 400:
                world.held = [0]
                world.run(1_500)
                world.held = []
            default: break
            }
            world.run(20)
        }
        let times = publisher.feedback.map(\.at)
        let gaps = zip(times, times.dropFirst()).map { ($1 - $0) / 1_000_000 }
        #expect(gaps.filter { $0 > 100 }.count == 1, "the hang alone")
        #expect(gaps.max()! < 1_600, "\(gaps.max()!) ms")
        let reported = publisher.feedback.reduce(0) { $0 + $1.received }
        #expect(reported == 1_000)
    }

    @Test("a viewer's reference time is answered with its delay")
    func referenceTimes() throws {
        let world = try World(seed: 66)
        let (_, viewer, _, _) = pair(world)
        for number in 0..<5 {
            let time = UInt64(number + 1) << 32 | 0x8000_0000
            let asked = world.now
            viewer.sendRTCP { _ = $0.addReferenceTime(senderSSRC: 1, ntpTime: time) }
            world.run(1_200)
            let (echo, at) = try #require(viewer.echoes.last)
            #expect(viewer.echoes.count == number + 1)
            #expect(echo.ssrc == 1 && echo.referenceTime == UInt32(number + 1) << 16 | 0x8000)
            // What the viewer takes for the round trip: a millisecond of the simulation each way.
            let roundTrip = Double(at - asked) / 1e9 - Double(echo.delay) / 65_536
            #expect(roundTrip >= 0 && roundTrip < 0.003, "\(roundTrip) s")
        }
        world.run(3_000)
        #expect(viewer.echoes.count == 5, "each is answered once")
    }
}
