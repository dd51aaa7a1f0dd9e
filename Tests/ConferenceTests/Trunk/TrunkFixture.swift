import Fleet
import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

/// Directors of several PoPs with fake workers, links between them, and what their fleet tells them.
final class TrunkFixture {
    struct Person: Equatable {
        var pop: Int
        var serial: UInt64
        var publication: Publication
        var state: PublishedMedia
    }

    let pops: [MediaFixture]
    /// Which links there are.
    private(set) var links: Set<Set<Int>> = []
    private(set) var people: [ParticipantID: Person] = [:]
    private var told: [[ParticipantID: RemotePublisher]]
    private var serial: UInt64 = 0
    /// From whom a PoP takes what is published at another.
    var feeder: (_ pop: Int, _ source: Int) -> Int = { $1 }
    /// Sees each message; nil: it is lost.
    var intercept: (_ from: Int, _ to: Int, DirectorMessage) -> [DirectorMessage] = { [$2] }
    private(set) var messages = 0

    init(
        pops count: Int = 2, workers: Int = 2, seed: UInt64 = 1, options: MediaDirector.Options = .init(),
        capacity: Capacity = Capacity(sessions: 64, tracks: 512, slots: 2_048, lanes: 64, crossings: 256),
        depth: Int = 16_384
    ) throws {
        var options = options
        // Nobody shakes hands here.
        options.connectTimeout = .max / 2
        pops = try (0..<count).map {
            try MediaFixture(
                workers: workers, capacity: capacity, depth: depth, seed: seed &+ UInt64($0) &* 1_000, options: options)
        }
        told = Array(repeating: [:], count: count)
    }

    static func name(_ pop: Int) -> PoPName { PoPName("pop\(pop)")! }

    static func address(_ pop: Int) -> Endpoint {
        Endpoint(address: IPAddress("192.0.2.\(pop + 1)")!, port: 3478)
    }

    var faults: [String] { pops.flatMap(\.faults) }

    // MARK: links

    func link(_ one: Int, _ other: Int) async {
        guard links.insert([one, other]).inserted else { return }
        await pops[one].director.trunkOpened(Self.name(other), addresses: [Self.address(other)])
        await pops[other].director.trunkOpened(Self.name(one), addresses: [Self.address(one)])
    }

    func linkAll() async {
        for one in pops.indices { for other in pops.indices where one < other { await link(one, other) } }
    }

    func cut(_ one: Int, _ other: Int, isLost: Bool = false) async {
        links.remove([one, other])
        await pops[one].director.trunkClosed(Self.name(other), isLost: isLost)
        await pops[other].director.trunkClosed(Self.name(one), isLost: isLost)
    }

    /// Hands over what directors told each other, where there is a link.
    func deliver() async {
        for from in pops.indices {
            for message in await pops[from].director.takeTrunkMessages() {
                guard let to = pops.indices.first(where: { Self.name($0) == message.pop }), links.contains([from, to]),
                    let sent = try? DirectorMessage.read(message.bytes)
                else { continue }
                messages += 1
                for message in intercept(from, to, sent) {
                    await pops[to].director.receive(message.bytes, from: Self.name(from))
                }
            }
        }
    }

    func turn(milliseconds: UInt64 = 2) async {
        for pop in pops { await pop.turn(milliseconds: milliseconds) }
        await deliver()
    }

    func run(milliseconds: Int) async { for _ in 0..<milliseconds / 10 { await turn(milliseconds: 10) } }

    // MARK: people

    func join(
        _ number: Int, at pop: Int, _ offer: FakeOffer = FakeOffer(), _ state: PublishedMedia = .camera,
        _ view: MediaView = MediaView()
    ) async throws {
        let id = ParticipantID.named(number)
        var person = people[id] ?? Person(pop: pop, serial: 0, publication: Publication(), state: state)
        if people[id] == nil {
            serial += 1
            person.serial = serial
        }
        let connection = try await pops[pop].director.connect(
            id, in: .test, MediaOffer(sdp: offer.text, state: state, view: view, serial: person.serial))
        if people[id] != nil, person.pop != pop { await pops[person.pop].director.disconnect(id) }
        person.pop = pop
        person.publication = connection.publication
        person.state = state
        people[id] = person
        await announce()
    }

    func leave(_ number: Int) async {
        guard let person = people.removeValue(forKey: .named(number)) else { return }
        await pops[person.pop].director.disconnect(.named(number))
        await announce()
    }

    func setState(_ number: Int, _ state: PublishedMedia) async {
        guard let pop = people[.named(number)]?.pop else { return }
        people[.named(number)]?.state = state
        await pops[pop].director.setMediaState(.named(number), state)
        await announce()
    }

    /// The fleet tells every PoP what changed.
    func announce() async {
        for pop in pops.indices {
            for id in Set(people.keys).union(told[pop].keys).sorted(by: { $0.rawValue < $1.rawValue }) {
                let remote = people[id].flatMap { $0.pop == pop ? nil : publisher($0, for: pop) }
                guard told[pop][id] != remote else { continue }
                told[pop][id] = remote
                await pops[pop].director.setRemote(id, in: .test, remote)
            }
            let others = Set(people.values.map(\.pop)).subtracting([pop]).sorted()
            await pops[pop].director.setPeers(others.map(Self.name), of: .test)
        }
    }

    private func publisher(_ person: Person, for pop: Int) -> RemotePublisher {
        RemotePublisher(
            pop: Self.name(person.pop), feeder: Self.name(feeder(pop, person.pop)), serial: person.serial,
            publication: person.publication, state: person.state)
    }

    // MARK: what is so

    /// Who is really shown to the participant, by kind: from the Slot to the publisher's Session, over workers and Lanes.
    func shown(to number: Int) async -> [MediaKind: [ParticipantID]] {
        let id = ParticipantID.named(number)
        guard let pop = people[id]?.pop, let session = await pops[pop].director.session(of: id) else { return [:] }
        var shown: [MediaKind: [ParticipantID]] = [:]
        for slot in pops[pop].workers[session.worker].slots.values
        where slot.opening.session == session && !slot.track.isNone {
            if let source = await publisher(of: slot.track, at: pop) {
                shown[slot.opening.kind, default: []].append(source)
            }
        }
        return shown.mapValues { $0.sorted { $0.rawValue < $1.rawValue } }
    }

    private func publisher(of handle: TrackHandle, at pop: Int, hops: Int = 0) async -> ParticipantID? {
        guard hops < 4, let track = pops[pop].workers[handle.worker].tracks[handle] else { return nil }
        switch track.source {
        case .session(let session): return await pops[pop].director.participant(of: session)
        case .sibling(let origin):
            guard pops[pop].workers[origin.worker].feeds[origin]?.contains(handle) == true else { return nil }
            return await publisher(of: origin, at: pop, hops: hops)
        case .lane(let lane):
            guard let (peer, source) = carried(handle, over: lane, at: pop) else { return nil }
            return await publisher(of: source, at: peer, hops: hops + 1)
        }
    }

    /// What the far end puts into our Track: its PoP and its Track. Keys and names must be one another's.
    private func carried(_ handle: TrackHandle, over lane: LaneHandle, at pop: Int) -> (Int, TrackHandle)? {
        guard let opening = pops[pop].workers[handle.worker].lanes[lane],
            let peer = pops.indices.first(where: { Self.address($0) == opening.remote })
        else { return nil }
        for worker in pops[peer].workers {
            for crossing in worker.crossings.values where crossing.name == handle.laneName {
                guard let far = worker.lanes[crossing.lane], far.remote == Self.address(pop), far.peer == lane.laneName,
                    opening.peer == crossing.lane.laneName,
                    worker.laneKeys[crossing.lane]?.send.last
                        == pops[pop].workers[handle.worker].laneKeys[lane]?.receive.last,
                    worker.laneKeys[crossing.lane]?.receive.last
                        == pops[pop].workers[handle.worker].laneKeys[lane]?.send.last
                else { continue }
                return (peer, crossing.track)
            }
        }
        return nil
    }

    /// Tracks that come over Lanes to a PoP, and that go from it.
    func crossing(at pop: Int) -> (come: Int, go: Int) {
        let come = pops[pop].workers.flatMap(\.tracks.values).count { $0.source.lane != nil }
        return (come, pops[pop].workers.reduce(0) { $0 + $1.crossings.count })
    }

    /// With all links and nothing on its way: everybody is shown whom the director says, and nothing else crosses.
    func check() async {
        for (id, person) in people {
            let number = Int(id.rawValue.dropFirst(2))!
            let slots = await pops[person.pop].director.slots(of: id)
            let shown = await shown(to: number)
            for (kind, source) in [(MediaKind.audio, SlotSource.audio), (.video, .video), (.screen, .screen)] {
                let told = slots.filter { $0.source == source }.compactMap(\.participant?.rawValue).sorted()
                #expect(shown[kind, default: []].map(\.rawValue) == told, "\(id) \(kind)")
            }
            let others = people.filter {
                $0.key != id && $0.value.state.video && $0.value.publication.source(.camera) != nil
            }
            let videoSlots = slots.count { $0.source == .video }
            let seen = Set(slots.filter { $0.source == .video }.compactMap(\.participant))
            let wanted = Set(others.sorted { $0.value.serial < $1.value.serial }.prefix(videoSlots).map(\.key))
            #expect(seen == wanted, "\(id) sees \(seen), should \(wanted)")
        }
        for pop in pops.indices {
            let reading = await pops[pop].director.importReading()
            #expect(reading.idle == 0, "taken, and shown to nobody")
            #expect(reading.strays == 0, "taken from another PoP than it should be")
            #expect(reading.sources.count == Set(reading.sources).count, "one source comes twice")
            #expect(crossing(at: pop).come == reading.sources.count)
        }
        let come = pops.indices.reduce(0) { $0 + crossing(at: $1).come }
        #expect(come == pops.indices.reduce(0) { $0 + crossing(at: $1).go }, "as much comes as goes")
        #expect(faults == [])
    }

    /// Everybody is gone: no place is in use at any PoP.
    func checkEmpty() async {
        for pop in pops {
            #expect(await pop.director.placesInUse() == [0, 0, 0])
            #expect(await pop.director.trunkPlacesInUse() == [0, 0])
            #expect(await pop.director.isForgotten)
            #expect(pop.workers.map(\.isEmpty) == pop.workers.map { _ in true })
        }
        #expect(faults == [])
    }
}

extension LaneHandle {
    var laneName: LaneName {
        LaneName(part: LaneName.lanePart, worker: worker, index: index, generation: generation)
    }
}

extension MediaDirector {
    /// What waits for other directors.
    func takeTrunkMessages() async -> [TrunkMessage] {
        var messages: [TrunkMessage] = []
        var isMarked = markTrunkMessages()
        for await message in trunkMessages {
            if message.bytes.isEmpty { break }
            messages.append(message)
            if !isMarked { isMarked = markTrunkMessages() }
        }
        return messages
    }

    /// An empty message behind what was told; false when there is no room.
    private func markTrunkMessages() -> Bool {
        let mark = TrunkMessage(pop: TrunkFixture.name(0), bytes: [])
        if case .enqueued = trunks.outbox.writer.yield(mark) { return true }
        return false
    }

    /// Nobody reads, and there is room for nothing more.
    func fillOutbox() {
        let message = TrunkMessage(pop: PoPName("nobody")!, bytes: [1])
        while case .enqueued = trunks.outbox.writer.yield(message) {}
    }

    /// What is taken; of that what nobody shows, and what does not come from its feeder.
    func importReading() -> (sources: [SourceID], idle: Int, strays: Int) {
        let taken = trunks.imports.values
        return (
            taken.map(\.source), taken.count { $0.users == 0 },
            taken.count { trunks.remotes[$0.source.participant]?.publisher.feeder != $0.feeder }
        )
    }
}
