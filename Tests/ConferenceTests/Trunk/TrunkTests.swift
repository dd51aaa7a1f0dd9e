import Fleet
import Mailbox
import Meetings
import TestSupport
import Testing
import Wire

@testable import Conference

/// Remote sources, Lanes and what directors tell each other, on fake workers.
@Suite struct TrunkTests {
    private func pair() async throws -> TrunkFixture {
        let fixture = try TrunkFixture()
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        return fixture
    }

    @Test func `who is at another PoP is seen and heard`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 400)
        #expect(await fixture.shown(to: 2) == [.audio: [.named(1)], .video: [.named(1)]])
        #expect(await fixture.shown(to: 1) == [.audio: [.named(2)], .video: [.named(2)]])
        await fixture.check()
    }

    @Test func `a first picture costs one round trip between the directors`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0, FakeOffer(videoSlots: 0))
        await fixture.run(milliseconds: 20)
        let before = fixture.messages
        try await fixture.join(2, at: 1, FakeOffer(microphone: false, camera: false, audioSlots: 0))
        // There, what is asked for; and back, what is given.
        for _ in 0..<3 { await fixture.turn() }
        #expect(await fixture.shown(to: 2) == [.video: [.named(1)]])
        #expect(fixture.messages - before == 4, "Lane and Track, each asked for and answered")
    }

    @Test func `a source crosses once, however many look, and ends within half a second after the last`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0, FakeOffer(microphone: false))
        for number in 2...7 { try await fixture.join(number, at: 1, FakeOffer(microphone: false, camera: false)) }
        await fixture.run(milliseconds: 400)
        #expect(fixture.crossing(at: 1).come == 1 && fixture.crossing(at: 0).go == 1)
        for number in 2...6 { await fixture.leave(number) }
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 0).go == 1)
        await fixture.leave(7)
        await fixture.run(milliseconds: 500)
        #expect(fixture.crossing(at: 1).come == 0 && fixture.crossing(at: 0).go == 0)
        await fixture.leave(1)
        await fixture.run(milliseconds: 12_000)
        await fixture.checkEmpty()
    }

    @Test func `who comes from another PoP is taken from there until its session is connected`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1, FakeOffer(microphone: false, camera: false))
        await fixture.run(milliseconds: 400)
        let offer = MediaOffer(sdp: FakeOffer().text, state: .camera, serial: 1)
        _ = try await fixture.pops[1].director.connect(.named(1), in: .test, offer)
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 1).come == 2, "its sound and its picture")
        #expect(await fixture.shown(to: 2) == [.audio: [.named(1)], .video: [.named(1)]])
        await fixture.pops[1].director.disconnect(.named(1))
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 1).come == 2, "it did not come after all")
        await fixture.check()
        // The fleet says that it is here.
        try await fixture.join(1, at: 1)
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 1).come == 0)
        #expect(await fixture.shown(to: 2) == [.audio: [.named(1)], .video: [.named(1)]])
        await fixture.check()
    }

    @Test func `who looks away and back within the time costs nothing`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0, FakeOffer(microphone: false))
        try await fixture.join(2, at: 1, FakeOffer(microphone: false, camera: false))
        await fixture.run(milliseconds: 400)
        let before = fixture.messages
        for _ in 0..<5 {
            await fixture.pops[1].director.setView(.named(2), MediaView(visible: [.named(9)]))
            await fixture.run(milliseconds: 200)
            await fixture.pops[1].director.setView(.named(2), MediaView())
            await fixture.run(milliseconds: 200)
        }
        #expect(fixture.messages == before)
        await fixture.check()
    }

    @Test func `a publisher that comes anew is taken anew`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 300)
        try await fixture.join(1, at: 0, FakeOffer(codec: .vp8), .camera)
        await fixture.run(milliseconds: 1_000)
        await fixture.check()
        try await fixture.join(1, at: 1)
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 1).come == 0)
        await fixture.check()
    }

    @Test func `what runs outlives its link, and both agree when it is back`() async throws {
        let fixture = try await pair()
        for number in 1...3 { try await fixture.join(number, at: 0) }
        for number in 4...6 { try await fixture.join(number, at: 1) }
        await fixture.run(milliseconds: 500)
        await fixture.cut(0, 1)
        await fixture.run(milliseconds: 500)
        #expect(await fixture.shown(to: 4)[.video]?.count == 5)
        await fixture.leave(1)
        try await fixture.join(7, at: 0)
        await fixture.setState(2, PublishedMedia(audio: true))
        await fixture.run(milliseconds: 2_000)
        #expect(fixture.faults == [])
        await fixture.link(0, 1)
        await fixture.run(milliseconds: 2_000)
        await fixture.check()
    }

    @Test func `of a lost PoP nothing is left, and its places are others'`() async throws {
        let fixture = try await pair()
        for number in 1...3 { try await fixture.join(number, at: 0) }
        try await fixture.join(4, at: 1, FakeOffer(videoSlots: 2))
        try await fixture.join(5, at: 1, FakeOffer(videoSlots: 2))
        await fixture.run(milliseconds: 500)
        #expect(await fixture.shown(to: 4)[.video] == [.named(1), .named(2)])
        await fixture.cut(0, 1, isLost: true)
        await fixture.run(milliseconds: 300)
        #expect(await fixture.shown(to: 4)[.video] == [.named(5)])
        #expect(await fixture.pops[1].director.trunkPlacesInUse() == [0, 0])
        #expect(fixture.pops[1].workers.flatMap(\.trunks) == [])
        await fixture.link(0, 1)
        await fixture.run(milliseconds: 1_000)
        await fixture.check()
    }

    @Test func `a relay carries what it takes itself`() async throws {
        let fixture = try TrunkFixture(pops: 3)
        fixture.feeder = { pop, source in pop == 2 && source == 0 ? 1 : source }
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        try await fixture.join(1, at: 0, FakeOffer(microphone: false))
        try await fixture.join(2, at: 2, FakeOffer(microphone: false, camera: false))
        await fixture.run(milliseconds: 1_500)
        #expect(await fixture.shown(to: 2)[.video] == [.named(1)])
        #expect(
            fixture.crossing(at: 0).go == 1 && fixture.crossing(at: 1) == (1, 1) && fixture.crossing(at: 2).come == 1)
        await fixture.leave(2)
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 0).go == 0 && fixture.crossing(at: 1) == (0, 0))
        await fixture.check()
        // Another feeder from now on.
        try await fixture.join(2, at: 2, FakeOffer(microphone: false, camera: false))
        await fixture.run(milliseconds: 1_500)
        fixture.feeder = { $1 }
        await fixture.announce()
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 0).go == 1 && fixture.crossing(at: 1) == (0, 0))
        await fixture.check()
    }

    @Test(arguments: [3, 4])
    func `PoPs that would feed each other in a circle wait for nothing`(count: Int) async throws {
        let fixture = try TrunkFixture(pops: count)
        // Each takes it from the next one, the last from the first of them.
        fixture.feeder = { pop, source in source == 0 ? pop % (count - 1) + 1 : source }
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        try await fixture.join(1, at: 0)
        for pop in 1..<count { try await fixture.join(pop + 1, at: pop) }
        await fixture.run(milliseconds: 3_000)
        for pop in 1..<count { await fixture.leave(pop + 1) }
        await fixture.run(milliseconds: 4_000)
        for pop in 1..<count { #expect(await fixture.pops[pop].director.importReading().sources == []) }
        #expect(fixture.faults == [])
        for pop in 1..<count { try await fixture.join(pop + 1, at: pop) }
        fixture.feeder = { $1 }
        await fixture.announce()
        await fixture.run(milliseconds: 10_000)
        await fixture.check()
    }

    @Test func `full tables refuse, and are asked again`() async throws {
        let fixture = try TrunkFixture(
            workers: 1, capacity: Capacity(sessions: 16, tracks: 64, slots: 200, lanes: 8, crossings: 3))
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        for number in 1...5 { try await fixture.join(number, at: 0, FakeOffer(microphone: false, videoSlots: 5)) }
        try await fixture.join(6, at: 1, FakeOffer(microphone: false, camera: false, videoSlots: 5))
        await fixture.run(milliseconds: 1_000)
        #expect(fixture.crossing(at: 0).go == 3)
        await fixture.leave(1)
        await fixture.leave(2)
        await fixture.run(milliseconds: 9_000)
        #expect(await fixture.shown(to: 6)[.video]?.count == 3)
        await fixture.check()
    }

    @Test(arguments: [false, true])
    func `what was asked without an answer is asked anew, under other names`(hasLane: Bool) async throws {
        let fixture = try TrunkFixture(workers: 1)
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        if hasLane { try await fixture.join(3, at: 0, FakeOffer(camera: false), PublishedMedia(audio: true)) }
        try await fixture.join(4, at: 1, FakeOffer(microphone: false, camera: false, videoSlots: 0))
        await fixture.run(milliseconds: 400)
        try await fixture.join(1, at: 0, FakeOffer(microphone: false, videoSlots: 0))
        // The answers are lost with the link.
        var names: Set<UInt32> = []
        fixture.intercept = { from, _, message in
            if case .carry(let request) = message { names.insert(request.track) }
            return from == 0 ? [] : [message]
        }
        try await fixture.join(2, at: 1, FakeOffer(microphone: false, camera: false, audioSlots: 0))
        await fixture.run(milliseconds: 100)
        #expect(fixture.crossing(at: 0).go == (hasLane ? 2 : 1) && names.count == 1)
        await fixture.cut(0, 1)
        fixture.intercept = { _, _, message in
            if case .carry(let request) = message { names.insert(request.track) }
            return [message]
        }
        await fixture.link(0, 1)
        await fixture.run(milliseconds: 1_000)
        #expect(names.count == 2)
        #expect(await fixture.shown(to: 2) == [.video: [.named(1)]])
        await fixture.check()
    }

    @Test func `keys change each hour, the receiver's first`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 400)
        for pop in fixture.pops { pop.clock.advance(milliseconds: 3_600_000) }
        var isAhead = false
        for _ in 0..<40 {
            for pop in fixture.pops { await pop.turn(milliseconds: 10) }
            let keys = fixture.pops.map {
                $0.workers.flatMap(\.laneKeys.values).map { ($0.receive.count, $0.send.count) }
            }
            isAhead = isAhead || keys.joined().contains { $0.0 == 2 && $0.1 == 1 }
            await fixture.deliver()
        }
        #expect(isAhead)
        for pop in fixture.pops {
            for keys in pop.workers.flatMap(\.laneKeys.values) {
                #expect(keys.receive.count == 2 && keys.send.count == 2)
            }
        }
        await fixture.check()
    }

    @Test func `a key is told when the worker can have it, and not before`() async throws {
        let fixture = try TrunkFixture(workers: 1, depth: 16)
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 1_000)
        var told = 0
        fixture.intercept = { from, _, message in
            if from == 1, case .changeKey = message { told += 1 }
            return [message]
        }
        fixture.pops[1].workers[0].isHeld = true
        for _ in 0..<10 {
            await fixture.pops[1].director.setView(.named(2), MediaView(visible: [.named(9)]))
            await fixture.turn()
            await fixture.pops[1].director.setView(.named(2), MediaView())
            await fixture.turn()
        }
        fixture.pops[1].clock.advance(milliseconds: 3_600_000)
        await fixture.run(milliseconds: 400)
        #expect(told == 0, "its ring is full")
        fixture.pops[1].workers[0].isHeld = false
        await fixture.run(milliseconds: 400)
        #expect(told == 2, "of a Lane in each direction")
        await fixture.check()
    }

    @Test func `a key changes before a name comes again`() async throws {
        var options = MediaDirector.Options()
        options.importLinger = 0
        let fixture = try TrunkFixture(workers: 1, options: options)
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        try await fixture.join(1, at: 0, FakeOffer(microphone: false))
        try await fixture.join(2, at: 1, FakeOffer(microphone: false, camera: false))
        for _ in 0..<2_200 {
            await fixture.pops[1].director.setView(.named(2), MediaView(visible: [.named(9)]))
            await fixture.turn(milliseconds: 50)
            await fixture.pops[1].director.setView(.named(2), MediaView())
            await fixture.turn(milliseconds: 50)
        }
        await fixture.run(milliseconds: 300)
        let keys = fixture.pops[1].workers[0].laneKeys.values.map(\.receive.count).max() ?? 0
        #expect(keys == 3, "two places were used 1,100 times each, under \(keys) keys")
        await fixture.check()
    }

    @Test func `a hello that comes too early is said again`() async throws {
        let fixture = try TrunkFixture()
        await fixture.pops[0].director.trunkOpened(TrunkFixture.name(1), addresses: [TrunkFixture.address(1)])
        for message in await fixture.pops[0].director.takeTrunkMessages() {
            await fixture.pops[1].director.receive(message.bytes, from: TrunkFixture.name(0))
        }
        await fixture.linkAll()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 400)
        await fixture.check()
    }

    @Test func `what a director may not say is counted, by kind`() async throws {
        let fixture = try await pair()
        let director = fixture.pops[0].director
        let (peer, stranger) = (TrunkFixture.name(1), TrunkFixture.name(7))
        let release = DirectorMessage.release(1).bytes
        // Of a type that nobody knows yet: passed over.
        await director.receive([200, 1, 2], from: peer)
        #expect(await director.trunkRefusals() == TrunkRefusals())
        for length in 1..<release.count { await director.receive(Array(release[..<length]), from: peer) }
        #expect(await director.trunkRefusals().malformed == UInt64(release.count - 1))
        #expect(await director.trunkRefusals().stray == 0)
        await director.receive(release, from: stranger)
        await fixture.cut(0, 1)
        await director.receive(release, from: peer)
        #expect(await director.trunkRefusals().stray == 2)
        await fixture.link(0, 1)
        // Before the hello that comes over this link.
        await director.receive(release, from: peer)
        #expect(await director.trunkRefusals().stray == 3)
        #expect(await director.trunkRefusals().malformed == UInt64(release.count - 1))
    }

    @Test func `what could not be told is agreed on`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 400)
        for pop in fixture.pops { await pop.director.fillOutbox() }
        await fixture.leave(1)
        for number in 3...4 { try await fixture.join(number, at: number % 2) }
        for pop in fixture.pops { await pop.turn(milliseconds: 100) }
        await fixture.run(milliseconds: 1_000)
        await fixture.check()
    }

    @Test func `who was started again knows nothing, and is asked anew`() async throws {
        let fixture = try await pair()
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        await fixture.run(milliseconds: 400)
        let before = await fixture.pops[1].director.importReading().sources.count
        // As other processes of the same names would.
        let hello = DirectorMessage.hello(DirectorHello(.answer, instance: 99, workers: 2)).bytes
        for pop in 0..<2 {
            await fixture.pops[pop].director.receive(hello, from: TrunkFixture.name(1 - pop))
            await fixture.pops[pop].turn()
        }
        #expect(before == 2 && fixture.crossing(at: 1).go == 0)
        await fixture.run(milliseconds: 4_000)
        await fixture.check()
    }
}
