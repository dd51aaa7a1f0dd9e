import Conference
import Meetings
import Testing

/// Directors and workers of several PoPs: what their people see and hear of each other.
@Suite struct TrunkSceneTests {
    @Test func `people at two PoPs see and hear one another, and each source crosses once`() async throws {
        let scene = try TrunkScene(workers: 2)
        await scene.linkAll()
        await scene.run(50)
        for number in 1...2 { await scene.join(UInt8(number), at: 0) }
        for number in 3...5 { await scene.join(UInt8(number), at: 1) { $0.screen = number == 5 } }
        await scene.setState(5, PublishedMedia(audio: true, video: true, screen: true))
        await scene.talk(1_500)
        #expect(await scene.wrong() == [])
        await scene.run(50)
        scene.forgetCopies()
        for _ in 0..<10 {
            scene.send()
            await scene.run(20)
        }
        await scene.run(50)
        // Sound and picture of two, however many look; and pictures of three, with a screen: the stage holds four of five.
        #expect(scene.crossed(0, 1) == (40, 4))
        #expect(scene.crossed(1, 0) == (60, 6))
        await scene.checkPlaces()
        await scene.checkAgreement()
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `of three layers those cross that somebody looks at`() async throws {
        let scene = try TrunkScene()
        await scene.linkAll()
        await scene.join(1, at: 0, state: PublishedMedia(video: true)) { $0.cameraLayers = 3 }
        for number in 2...4 {
            await scene.join(UInt8(number), at: 1, state: PublishedMedia()) {
                ($0.cameraLayers, $0.microphone) = (0, false)
            }
        }
        let (large, small) = (ParticipantID("p_2")!, ParticipantID("p_3")!)
        let source = ParticipantID("p_1")!
        await scene.directors[1].setView(large, MediaView(visible: [source], heights: [source: 1_080]))
        await scene.directors[1].setView(small, MediaView(visible: [source], heights: [source: 180]))
        await scene.talk(2_500)
        #expect(await scene.wrong() == [])
        scene.forgetCopies()
        await scene.talk(200)
        #expect(scene.crossed(0, 1).names == 3 || scene.crossed(0, 1).names == 2)
        await scene.leave(2)
        await scene.leave(4)
        await scene.talk(1_000)
        scene.forgetCopies()
        await scene.talk(200)
        #expect(scene.crossed(0, 1) == (10, 1))
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `nothing crosses half a second after the last one stopped looking`() async throws {
        let scene = try TrunkScene()
        await scene.linkAll()
        await scene.join(1, at: 0)
        for number in 2...3 {
            await scene.join(UInt8(number), at: 1, state: PublishedMedia()) {
                ($0.cameraLayers, $0.microphone) = (0, false)
            }
        }
        await scene.talk(1_000)
        #expect(await scene.wrong() == [])
        await scene.setState(1, PublishedMedia(video: true))
        await scene.talk(500)
        await scene.setView(2, [9])
        await scene.talk(1_000)
        scene.forgetCopies()
        await scene.talk(200)
        #expect(scene.crossed(0, 1) == (10, 1))
        let start = scene.now
        await scene.setView(3, [9])
        await scene.talk(1_500)
        let last = try #require(scene.lastCopy[[0, 1]])
        #expect(last <= start + 500_000_000, "\((last - start) / 1_000_000) ms after it")
        await scene.setView(3, [1])
        await scene.talk(600)
        #expect(
            scene.clients[3]?.tiles.values.contains { $0.shown.map { $0.time > start + 1_500_000_000 } ?? false }
                == true)
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `a relay feeds the third PoP, and the source sends once`() async throws {
        let scene = try TrunkScene(pops: 3)
        scene.feeder = { pop, source in pop == 2 && source == 0 ? 1 : source }
        await scene.linkAll()
        await scene.join(1, at: 0)
        await scene.join(2, at: 1)
        await scene.join(3, at: 2)
        await scene.talk(3_000)
        #expect(await scene.wrong() == [])
        await scene.run(50)
        scene.forgetCopies()
        for _ in 0..<10 {
            scene.send()
            await scene.run(20)
        }
        await scene.run(50)
        #expect(scene.crossed(0, 1) == (20, 2))
        #expect(scene.crossed(0, 2) == (0, 0))
        #expect(scene.crossed(1, 2) == (40, 4))
        // With nobody who looks at the relay itself it goes on.
        await scene.leave(2)
        await scene.talk(1_500)
        #expect(await scene.wrong() == [])
        await scene.checkAgreement()
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `the loudest anywhere are heard, and no other voice crosses`() async throws {
        let scene = try TrunkScene()
        await scene.linkAll()
        for number in 1...6 {
            let client = await scene.join(UInt8(number), at: 0, state: PublishedMedia(audio: true)) {
                $0.cameraLayers = 0
            }
            client?.level = number >= 5 ? 20 : 100
        }
        await scene.join(7, at: 1, state: PublishedMedia(audio: true)) { $0.cameraLayers = 0 }
        await scene.talk(4_000)
        let heard = try #require(scene.clients[7]?.occupants(.audio))
        #expect(heard.isSuperset(of: [TrunkClient.id(5), TrunkClient.id(6)]) && heard.count == 3)
        scene.forgetCopies()
        await scene.talk(200)
        #expect(scene.crossed(0, 1) == (30, 3), "of six voices")
        #expect(scene.crossed(1, 0) == (0, 0), "nobody hears who is silent")
        #expect(await scene.wrong() == [])
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `media go on without the link, and both agree when it is back`() async throws {
        let scene = try TrunkScene()
        await scene.linkAll()
        for number in 1...2 { await scene.join(UInt8(number), at: 0) }
        for number in 3...4 { await scene.join(UInt8(number), at: 1) }
        await scene.talk(1_500)
        #expect(await scene.wrong() == [])
        await scene.unlink(0, 1)
        await scene.talk(500)
        // Also while the path is gone for a while.
        scene.cuts = [[0, 1]]
        await scene.talk(6_000, step: 2)
        scene.cuts = []
        await scene.talk(2_000)
        #expect(await scene.wrong() == [])
        await scene.leave(1)
        await scene.join(5, at: 0)
        await scene.talk(1_000)
        await scene.link(0, 1)
        await scene.talk(2_000)
        #expect(await scene.wrong() == [])
        await scene.checkAgreement()
        await scene.empty()
        #expect(scene.faults == [])
    }

    @Test func `a key changes and no packet is lost`() async throws {
        var options = MediaDirector.Options()
        options.laneKeyAge = 2_000_000_000
        let scene = try TrunkScene(options: options)
        await scene.linkAll()
        await scene.join(1, at: 0)
        await scene.join(2, at: 1)
        await scene.talk(1_000)
        #expect(await scene.wrong() == [])
        let before = scene.clients[2]!.tiles.values.reduce(0) { $0 + $1.packets }
        scene.forgetCopies()
        await scene.talk(8_000)
        await scene.run(50)
        let got = scene.clients[2]!.tiles.values.reduce(0) { $0 + $1.packets } - before
        #expect(got == 800 && scene.crossed(0, 1).packets == 800, "\(got)")
        let report = try #require(await scene.directors[1].trunkReports().first)
        #expect(report.missingPackets == 0 && report.receivedPackets > 0 && report.carriedIn == 2)
        #expect(report.roundTrip >= 10_000_000 && report.roundTrip < 30_000_000)
        await scene.empty()
        #expect(scene.faults == [])
    }
}
