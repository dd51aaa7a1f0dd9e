import Fleet
import Mailbox
import Meetings
import TestSupport
import Testing

@testable import Conference

/// What happens at random at three PoPs, from one seed: in the end all agree, and nothing is left of anybody.
@Suite struct TrunkChurnTests {
    private static let states = [
        PublishedMedia(audio: true, video: true), PublishedMedia(audio: true), PublishedMedia(video: true),
        PublishedMedia(video: true, screen: true),
    ]

    @Test(arguments: 0..<8)
    func `joins, views, cuts and lost PoPs leave nothing behind`(block: UInt64) async throws {
        for seed in 0..<13 { try await course(seed: block * 100 + UInt64(seed)) }
    }

    private func course(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let count = Int.random(in: 2...3, using: &random)
        // Some have small tables, small rings, or workers whose word is lost.
        let isSmall = seed % 4 == 1
        let capacity =
            isSmall
            ? Capacity(sessions: 10, tracks: 24, slots: 200, lanes: 3, crossings: 5)
            : Capacity(sessions: 64, tracks: 512, slots: 2_048, lanes: 64, crossings: 256)
        let fixture = try TrunkFixture(
            pops: count, workers: Int.random(in: 1...2, using: &random), seed: seed, capacity: capacity,
            depth: seed % 4 == 2 ? 16 : 16_384)
        for worker in fixture.pops.flatMap(\.workers) { worker.isSilent = seed % 4 == 3 }
        await fixture.linkAll()
        for _ in 0..<40 {
            try await act(fixture, &random)
            if Bool.random(using: &random) {
                await fixture.run(milliseconds: Int.random(in: 1...60, using: &random) * 10)
            } else {
                await fixture.turn()
            }
        }
        fixture.feeder = { $1 }
        for worker in fixture.pops.flatMap(\.workers) { worker.isHeld = false }
        await fixture.linkAll()
        await fixture.announce()
        await fixture.run(milliseconds: 12_000)
        if !isSmall { await fixture.check() }
        for id in fixture.people.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            await fixture.leave(Int(id.rawValue.dropFirst(2))!)
        }
        await fixture.run(milliseconds: 20_000)
        await fixture.checkEmpty()
        #expect(fixture.faults == [], "seed \(seed)")
    }

    private func act(_ fixture: TrunkFixture, _ random: inout SplitMix) async throws {
        let pops = fixture.pops.indices
        let number = Int.random(in: 1...9, using: &random)
        let state = Self.states.randomElement(using: &random)!
        let (one, other) = (Int.random(in: pops, using: &random), Int.random(in: pops, using: &random))
        switch Int.random(in: 0..<16, using: &random) {
        case 0...5:
            let offer = FakeOffer(
                microphone: Bool.random(using: &random), camera: Int.random(in: 0..<4, using: &random) > 0,
                screen: Bool.random(using: &random), videoSlots: Int.random(in: 1...6, using: &random))
            // There may be no place.
            try? await fixture.join(number, at: one, offer, state)
        case 6, 7: await fixture.leave(number)
        case 8, 9: await fixture.setState(number, state)
        case 10:
            if let pop = fixture.people[.named(number)]?.pop {
                let tiles = (1...9).shuffled(using: &random).prefix(3).map { ParticipantID.named($0) }
                await fixture.pops[pop].director.setView(.named(number), MediaView(visible: tiles))
                await fixture.run(milliseconds: 100)
                await fixture.pops[pop].director.setView(.named(number), MediaView())
            }
        case 11, 12:
            if one != other { await fixture.cut(one, other, isLost: Int.random(in: 0..<4, using: &random) == 0) }
        case 13:
            let worker = fixture.pops[one].workers.randomElement(using: &random)
            worker?.isHeld.toggle()
            if one != other { await fixture.link(one, other) }
        case 14:
            let relay = one
            fixture.feeder = { pop, source in relay != pop && relay != source ? relay : source }
            await fixture.announce()
        default: try await fixture.sendGarbage(from: one, to: other, &random)
        }
    }
}

extension TrunkFixture {
    /// Bytes at random, and messages of the right form that stand for nothing.
    fileprivate func sendGarbage(from: Int, to: Int, _ random: inout SplitMix) async throws {
        guard from != to, links.contains([from, to]) else { return }
        let name = UInt32.random(in: .min ... .max, using: &random)
        let messages: [DirectorMessage] = [
            .closeLane(name), .carried(name), .refused(track: name, .full), .release(name),
            .laneRefused(lane: name, .gone), .keyChanged(lane: name, isOurs: true, phase: 1),
            .carry(
                CarryRequest(
                    lane: name, track: name, meeting: .test, participant: .named(1), role: 3, publication: 7)),
        ]
        var bytes = messages.randomElement(using: &random)!.bytes
        if Bool.random(using: &random) {
            bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            // A hello would be believed: it is the far end's own.
            if bytes.first == 1 || bytes.first == 2 { bytes[0] = 200 }
        }
        await pops[to].director.receive(bytes, from: Self.name(from))
    }
}
