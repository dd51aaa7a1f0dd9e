import Agents
import Fleet
import Logging
import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference
@testable import Dataplane

/// Directors of several PoPs with real workers on one virtual clock, with a network and links between them, and what their
/// fleet tells them.
final class TrunkScene {
    struct Message {
        var due: UInt64
        var from: Int
        var to: Int
        var bytes: [UInt8]
    }

    let worlds: [World]
    private(set) var directors: [MediaDirector] = []
    private let certificate: Certificate
    /// One way, ns, of packets and of messages.
    let delay: UInt64
    private(set) var now: UInt64 = World.step
    private var clocks: [TrunkClock] = []
    private var frames: [UInt64: [(world: Int, bytes: [UInt8])]] = [:]
    private var messages: [Message] = []
    private(set) var links: Set<Set<Int>> = []
    /// Paths over which no packet comes.
    var cuts: Set<Set<Int>> = []
    var clients: [UInt8: TrunkClient] = [:]
    var told: [[ParticipantID: RemotePublisher]]
    /// From whom a PoP takes what is published at another.
    var feeder: (_ pop: Int, _ source: Int) -> Int = { $1 }
    var faults: [String] = []
    /// Packets that were shown to somebody at another PoP than their publisher's.
    private(set) var shownAcross = 0
    private var nextPort: UInt16 = 40_000
    var nextSerial: UInt64 = 0
    /// RTP packets by their way, and the names under which they went: since `forgetCopies`.
    private(set) var copies: [[Int]: [UInt32: Int]] = [:]
    private(set) var lastCopy: [[Int]: UInt64] = [:]

    static let meeting = MeetingID("m_1")!

    init(
        pops: Int = 2, workers: Int = 1, seed: UInt64 = 1, delay: UInt64 = 5_000_000,
        capacity: Capacity = Capacity(sessions: 12, tracks: 60, slots: 128, lanes: 24, crossings: 48),
        options: MediaDirector.Options = .init()
    ) throws {
        self.delay = delay
        told = Array(repeating: [:], count: pops)
        certificate = try Certificate(notBefore: 1_700_000_000)
        worlds = try (0..<pops).map {
            try World(
                workers: workers, seed: seed &+ UInt64($0) &* 1_000, buffers: 1_023, capacity: capacity, allocations: 1,
                hasDirector: true, number: $0)
        }
        for (number, world) in worlds.enumerated() {
            let clock = TrunkClock()
            clocks.append(clock)
            directors.append(
                MediaDirector(
                    workers: world.mailboxes, capacity: capacity, pop: 7,
                    certificate: try Certificate(notBefore: 1_700_000_000),
                    candidates: [Endpoint(address: world.address, port: World.mediaPort)], options: options,
                    logger: Logger(label: "trunk") { _ in SwiftLogNoOpLogHandler() },
                    generator: RandomSource(seed: seed &+ 77 &+ UInt64(number)), clock: { clock.now }))
            world.onFrame = { [unowned self] in carry($0, from: number) }
        }
    }

    static func name(_ pop: Int) -> PoPName { PoPName("pop\(pop)")! }

    func fail(_ fault: String) { faults.append("\(now / 1_000_000) ms: \(fault)") }

    // MARK: time

    /// `step`: ms that pass at once.
    func run(_ milliseconds: Int, step: Int = 1) async {
        for _ in 0..<max(1, milliseconds / step) { await turn(after: UInt64(step) * World.step) }
    }

    private func turn(after span: UInt64) async {
        // What was asked of directors since.
        await takeNews()
        for client in ordered { client.transport?.turn() }
        now += span
        for due in frames.keys.filter({ $0 <= now }).sorted() {
            for frame in frames.removeValue(forKey: due) ?? [] { worlds[frame.world].port.deliver(frame.bytes) }
        }
        for (number, world) in worlds.enumerated() {
            world.turn(after: span)
            clocks[number].now = world.now
        }
        for director in directors { await director.poll(now: now) }
        await takeNews()
        await exchange()
    }

    var ordered: [TrunkClient] { clients.values.sorted { $0.number < $1.number } }

    private func takeNews() async {
        for director in directors {
            guard await director.endNews() else { continue }
            for await news in director.updates {
                if news.isEmpty { break }
                for case .slots(let id, let slots) in news {
                    guard let client = ordered.first(where: { $0.id == id }),
                        directors[client.pop] === director
                    else { continue }
                    for slot in slots { client.take(slot, at: now) }
                }
            }
        }
    }

    // MARK: links

    func link(_ one: Int, _ other: Int) async {
        guard links.insert([one, other]).inserted else { return }
        for (here, there) in [(one, other), (other, one)] {
            await directors[here].trunkOpened(
                Self.name(there), addresses: [Endpoint(address: worlds[there].address, port: World.mediaPort)])
        }
    }

    func linkAll() async {
        for one in worlds.indices { for other in worlds.indices where one < other { await link(one, other) } }
    }

    func unlink(_ one: Int, _ other: Int, isLost: Bool = false) async {
        links.remove([one, other])
        // What is on its way is lost with it.
        messages.removeAll { Set([$0.from, $0.to]) == [one, other] }
        await directors[one].trunkClosed(Self.name(other), isLost: isLost)
        await directors[other].trunkClosed(Self.name(one), isLost: isLost)
    }

    private func exchange() async {
        for from in worlds.indices {
            for message in await directors[from].takeTrunkMessages() {
                guard let to = worlds.indices.first(where: { Self.name($0) == message.pop }),
                    links.contains([from, to])
                else { continue }
                messages.append(Message(due: now + delay, from: from, to: to, bytes: message.bytes))
            }
        }
        let due = messages.filter { $0.due <= now }
        messages.removeAll { $0.due <= now }
        for message in due { await directors[message.to].receive(message.bytes, from: Self.name(message.from)) }
    }

    // MARK: packets

    private func carry(_ frame: [UInt8], from number: Int) {
        let destination = frame.withUnsafeBytes { DatagramFrame($0)?.destination }
        if let destination, let client = ordered.first(where: { $0.transport?.peer.endpoint == destination }) {
            guard client.pop == number else { return }
            frame.withUnsafeBytes { bytes in
                if let datagram = DatagramFrame(bytes) { client.transport?.receive(Array(datagram.payload)) }
            }
            return
        }
        for (other, world) in worlds.enumerated() where other != number && !cuts.contains([number, other]) {
            // What is for none (ARP and neighbour discovery) is for everybody.
            if let destination, destination.address != world.address, destination.address.high >> 56 != 0xff {
                continue
            }
            count(frame, from: number, to: other)
            frames[now + delay, default: []].append((other, frame))
        }
    }

    private func count(_ frame: [UInt8], from number: Int, to other: Int) {
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes), datagram.payloadLength >= 12,
                PacketKind(datagram.payload) == .rtp, let payload = datagram.payload.baseAddress
            else { return }
            copies[[number, other], default: [:]][payload.be32(8), default: 0] += 1
            lastCopy[[number, other]] = now
        }
    }

    func forgetCopies() { copies = [:] }

    /// RTP packets on a way, and under how many names.
    func crossed(_ from: Int, _ to: Int) -> (packets: Int, names: Int) {
        let found = copies[[from, to]] ?? [:]
        return (found.values.reduce(0, +), found.count)
    }

    // MARK: people

    func makeTransport(_ client: TrunkClient, _ sdp: String) {
        nextPort += 1
        client.transport = PoPTransport(
            worlds[client.pop], number: client.number, offer: client.offer, answer: PoPAnswer(sdp), port: nextPort,
            certificate: certificate)
        client.transport?.peer.complain = { [unowned self, number = client.number] in fail("client \(number): \($0)") }
        client.transport?.onPacket = { [unowned self, unowned client] in judge(client, $0, $1) }
    }

    var fingerprint: Fingerprint { certificate.fingerprint }

    /// A packet in a Slot is of whom the client was told, or was told until a moment ago.
    private func judge(_ viewer: TrunkClient, _ mid: String, _ stamp: PoPTransport.Stamp?) {
        guard let stamp, var tile = viewer.tiles[mid] else {
            return fail("client \(viewer.number): a packet of nobody in Slot \(mid)")
        }
        tile.shown = (stamp.publisher, now)
        if let source = clients[stamp.publisher], source.pop != viewer.pop { shownAcross += 1 }
        tile.packets += 1
        viewer.tiles[mid] = tile
        let id = TrunkClient.id(stamp.publisher)
        let kind = [SlotSource.audio: MediaKind.audio, .video: .video, .screen: .screen][tile.source]
        if kind != stamp.kind { fail("client \(viewer.number): \(stamp.kind) in a Slot for \(tile.source)") }
        if stamp.publisher == viewer.number { fail("client \(viewer.number) gets what it sent") }
        if tile.occupant == id { return }
        let grace: UInt64 = 20_000_000
        if tile.former.contains(where: { $0.occupant == id && $0.until + grace >= now }) { return }
        fail(
            "client \(viewer.number) gets \(id) in Slot \(mid), and was told \(tile.occupant?.rawValue ?? "nobody")")
    }
}

/// The time of one director.
final class TrunkClock: @unchecked Sendable {
    // One task drives all that asks for it.
    var now: UInt64 = 0
}

extension MediaDirector {
    /// What waits for other directors.
    func takeTrunkMessages() async -> [TrunkMessage] {
        var messages: [TrunkMessage] = []
        trunks.outbox.writer.yield(TrunkMessage(pop: TrunkScene.name(0), bytes: []))
        for await message in trunkMessages {
            if message.bytes.isEmpty { break }
            messages.append(message)
        }
        return messages
    }
}
