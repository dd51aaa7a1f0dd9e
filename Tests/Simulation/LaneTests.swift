import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What goes over a Lane, and what does not.
@Suite(.serialized)
struct LaneTests {
    @Test(arguments: [false, true], [false, true])
    func aLayerCrossesOnceForAllWhoSeeIt(v6: Bool, crossesWorkers: Bool) throws {
        let trunk =
            crossesWorkers
            ? try Trunk(seed: 1, workers: 2, on: (1, 1), v6: v6) : try Trunk(seed: 1, v6: v6)
        var scene = LaneScene(trunk, viewers: 5)
        scene.send(frames: 30)
        #expect(scene.copies == 90)
        for viewer in scene.viewers {
            let sequences = try #require(viewer.peer.inboxes[viewer.ssrc]).sequences
            let isWhole = sequences == Array(sequences[0]..<sequences[0] + 90)
            #expect(isWhole, "\(sequences.count) packets")
        }
    }

    @Test func nothingCrossesThatNobodySees() throws {
        let trunk = try Trunk(seed: 2, path: .init(delay: 20))
        var scene = LaneScene(trunk)
        scene.send(frames: 30)
        #expect(scene.copies == 90)
        let viewer = scene.viewers[0]
        trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: viewer.slot, track: .none, maxHeight: 0)))
        scene.send(frames: 50, every: 10, packets: 1)
        trunk.sent[0] = [:]
        scene.send(frames: 30)
        #expect(scene.copies == 0, "500 ms after the last one stopped looking")
        trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: viewer.slot, track: scene.far, maxHeight: 720)))
        let before = try #require(viewer.peer.inboxes[viewer.ssrc]).sequences.count
        scene.send(frames: 30)
        #expect(try #require(viewer.peer.inboxes[viewer.ssrc]).sequences.count > before + 60, "it comes back")
    }

    @Test func onlyTheLayersThatAreWantedCross() throws {
        let trunk = try Trunk(seed: 3, path: .init(delay: 10))
        var scene = LaneScene(trunk, layers: 3, maxHeight: 180)
        scene.send(frames: 40)
        #expect(scene.shown() == [0])
        trunk.sent[0] = [:]
        scene.send(frames: 40)
        #expect(trunk.sent[0].count == 1)
        trunk.worlds[1].command(
            0, .mapSlot(MapSlot(slot: scene.viewers[0].slot, track: scene.far, maxHeight: 720)))
        scene.send(frames: 60)
        #expect(scene.shown() == [2])
        trunk.sent[0] = [:]
        scene.send(frames: 40)
        #expect(trunk.sent[0].count == 1)
        #expect(trunk.sent[0].keys.allSatisfy { LaneName(raw: $0).part == 2 })
    }

    @Test func aKeyChangesWithoutALostPacket() throws {
        let trunk = try Trunk(seed: 4, path: .init(delay: 15))
        var scene = LaneScene(trunk)
        for round in 0..<4 {
            scene.send(frames: 10, every: 11)
            trunk.changeKey(toward: 1)
            scene.camera.frame()
            if round % 2 == 0 { trunk.changeKey(toward: 0) }
        }
        scene.send(frames: 10)
        let inbox = try #require(scene.viewers[0].peer.inboxes[scene.viewers[0].ssrc])
        #expect(inbox.sequences.count == 162)
        #expect(trunk.worlds[1].worker().pointee.counters[.srtpAuthentication] == 0)
        #expect(trunk.worlds[0].worker().pointee.counters[.srtpAuthentication] == 0)
        #expect(scene.copies == 162, "nothing had to be sent again")
    }

    @Test func strangersAreCountedAndChangeNothing() throws {
        let trunk = try Trunk(seed: 5)
        var scene = LaneScene(trunk)
        scene.send(frames: 5)
        let world = trunk.worlds[1]
        let worker = world.worker()
        let peer = Endpoint(address: trunk.worlds[0].address, port: World.mediaPort)
        let mac = MACAddress(0x02_0000_0000_99)
        func drops(_ reason: DropReason) -> UInt64 { worker.pointee.counters[reason] }
        func packet(_ name: LaneName, type: UInt8 = 97) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 60)
            bytes.withUnsafeMutableBytes {
                $0.baseAddress!.setBE32(0x8000_0000 | UInt32(type) << 16 | 2_000, at: 0)
                $0.baseAddress!.setBE32(name.raw, at: 8)
            }
            return bytes
        }
        let name = LaneName(part: 0, worker: 0, index: scene.far.index, generation: scene.far.generation)
        world.send(packet(name), from: peer, mac: mac)
        world.run(2)
        #expect(drops(.srtpAuthentication) == 1, "a forged packet for a Track")
        let none = LaneName(part: 0, worker: 0, index: 33, generation: 1)
        world.send(packet(none), from: peer, mac: mac)
        world.send(
            packet(LaneName(part: 1, worker: 0, index: name.index, generation: name.generation)), from: peer, mac: mac)
        world.send(
            packet(LaneName(part: 0, worker: 0, index: name.index, generation: name.generation + 1)), from: peer,
            mac: mac)
        world.run(2)
        #expect(drops(.rtpUnknownSource) == 3, "names of nothing, of a layer that there is not, of former times")
        world.send(packet(name.layer(0), type: 99), from: peer, mac: mac)
        world.run(2)
        #expect(drops(.srtpNoKeys) == 1, "another codec")
        world.send(packet(LaneName(part: 0, worker: 9, index: 1, generation: 1)), from: peer, mac: mac)
        world.run(2)
        #expect(drops(.unknownFlow) == 1, "a worker that there is not")
        world.send(packet(name), from: Endpoint(address: peer.address, port: 9_999), mac: mac)
        world.run(2)
        #expect(drops(.unknownFlow) == 2, "from an address of nobody's")
        scene.send(frames: 5)
        #expect(try #require(scene.viewers[0].peer.inboxes[scene.viewers[0].ssrc]).sequences.count == 30)
    }

    @Test func closingALaneEndsWhatGoesOverIt() throws {
        let trunk = try Trunk(seed: 6)
        var scene = LaneScene(trunk)
        scene.send(frames: 5)
        trunk.worlds[0].events = []
        trunk.worlds[1].events = []
        trunk.worlds[0].command(0, .closeLane(trunk.lanes[0]))
        trunk.worlds[1].command(0, .closeLane(trunk.lanes[1]))
        trunk.run(2)
        trunk.sent[0] = [:]
        scene.send(frames: 5)
        #expect(scene.copies == 0)
        func closed(_ world: World) -> [String] {
            world.events.compactMap {
                switch $0 {
                case .laneClosed: "lane"
                case .crossingClosed: "crossing"
                case .trackClosed: "track"
                default: nil
                }
            }
        }
        #expect(closed(trunk.worlds[0]) == ["crossing", "lane"])
        #expect(closed(trunk.worlds[1]) == ["track", "lane"])
    }
}
