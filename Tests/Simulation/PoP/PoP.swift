import Agents
import Logging
import Mailbox
import Meetings
import Wire

@testable import Api
@testable import Conference
@testable import Dataplane

/// A whole PoP on virtual time, from one seed: the hub, the director and real workers, and clients around them.
///
/// One task drives it and awaits each call, so that the same seed gives the same course.
final class PoP {
    let course: PoPCourse
    var random: RandomSource
    let world: World
    let clock = PoPClock()
    let director: MediaDirector
    let hub: MeetingHub
    let media: PoPMedia
    let meetings: [MeetingID]
    let numbers: [String]
    var clients: [PoPClient] = []
    var tally = PoPTally()
    /// What was wrong, the first with the step in which it was.
    private(set) var faults: [String] = []
    var step = 0
    /// The workers that are held, and until when.
    var releases: [Int: UInt64] = [:]
    /// When each worker had read every command that the clients had been told of.
    private(set) var caughtUp: [UInt64]
    /// How many clients there ever were.
    var arrivals: UInt8 = 0

    private let tokens: TokenAuthority
    private let certificate: Certificate
    private let logger = Logger(label: "pop") { _ in SwiftLogNoOpLogHandler() }
    private let limits = Limits()
    /// Packets of somebody of whom their viewers have not been told yet.
    private var doubts: [Doubt] = []
    /// Something came out of the port in the last turn.
    private var isMoving = false
    private var nextPort: UInt16 = 40_000
    private var sweptAt: UInt64 = 0

    init(_ course: PoPCourse) async throws {
        self.course = course
        random = RandomSource(seed: course.seed)
        world = try World(
            workers: course.workers, seed: course.seed, inbound: course.link, outbound: course.link, buffers: 1_023,
            capacity: course.capacity, allocations: 1, depth: course.depth, hasDirector: true)
        caughtUp = Array(repeating: 0, count: course.workers)
        let clock = clock
        certificate = try Certificate(notBefore: 1_700_000_000)
        director = MediaDirector(
            workers: world.mailboxes, capacity: course.capacity, pop: 7,
            certificate: try Certificate(notBefore: 1_700_000_000),
            candidates: [Endpoint(address: World.address, port: World.mediaPort)], logger: logger,
            generator: RandomSource(seed: course.seed &+ 1), clock: { clock.nanoseconds })
        media = PoPMedia(director, seed: course.seed &+ 3)
        hub = MeetingHub(
            limits: limits, media: media, gatherTime: .milliseconds(50), clock: clock,
            generator: RandomSource(seed: course.seed &+ 2), logger: logger)
        await media.serve(hub)
        tokens = TokenAuthority(keys: ServiceKeys([]), clock: clock, development: nil)
        var made: [Meeting] = []
        for number in 0..<course.meetings {
            made.append(try await hub.create(MeetingPlan(topic: "\(number)"), owner: "owner", password: nil))
        }
        meetings = made.map(\.id)
        numbers = made.map(\.number.description)
        world.onFrame = { [unowned self] in deliver($0) }
    }

    private struct Doubt {
        var viewer: PoPClient
        var mid: String
        var source: String?
        var fault: String
    }

    func fail(_ fault: String) { faults.append("step \(step), \(world.now / 1_000_000) ms: \(fault)") }

    // MARK: clients

    func makeClient(_ offer: PoPOffer, home: Int) -> PoPClient {
        arrivals += 1
        let client = PoPClient(number: arrivals, home: home, offer: offer)
        client.complain = { [unowned self, unowned client] in fail("client \(client.number): \($0)") }
        client.onMessage = { [unowned self, unowned client] in note($0, to: client) }
        // Else a publisher may never be told: no worker knows that such an event was lost.
        client.obeys = course.eventLoss == 0
        client.now = { [unowned self] in world.now }
        client.connect = { [unowned self, unowned client] in connect(client, $0) }
        client.restart = { [unowned self] in restart($0, $1) }
        clients.append(client)
        return client
    }

    func openSocket(_ client: PoPClient) {
        let socket = PoPSocket()
        client.open(makeSession(socket), socket)
    }

    func makeSession(_ socket: PoPSocket) -> SignalingSession {
        SignalingSession(
            socket: socket, address: "192.0.2.1", hub: hub, tokens: tokens, limiter: nil, limits: limits, clock: clock,
            logger: logger)
    }

    private func note(_ message: PoPMessage, to client: PoPClient) {
        let slots = (message.slots ?? []).map { "\($0.mid)\($0.participantId ?? "")" }.joined()
        tally.note("\(client.number) \(message.type) \(message.mid ?? "") \(message.participantId ?? "") \(slots)")
        switch (message.type, message.code) {
        case ("joined", _) where message.resumed == true: tally.resumes += 1
        case ("joined", _): tally.joins += 1
        case ("slot_switched", _): tally.pictures += 1
        case ("layers_wanted", _): tally.wants += 1
        case (_, "full"): tally.refusals += 1
        case (_, "media_failed"): tally.failures += 1
        case (_, "resume_expired"): tally.expiries += 1
        case (_, "bad_offer"), (_, "bad_request"): tally.faultyRequests += 1
        default: break
        }
    }

    /// The offer's SDP as a JSON string.
    func sdp(of client: PoPClient) -> String {
        let text = client.offer.text(fingerprint: certificate.fingerprint)
        return "\"" + text.replacing("\r\n", with: "\\r\\n") + "\""
    }

    private func connect(_ client: PoPClient, _ sdp: String) -> PoPTransport? {
        nextPort += 1
        let transport = PoPTransport(
            world, number: client.number, offer: client.offer, answer: PoPAnswer(sdp), port: nextPort,
            certificate: certificate)
        transport?.peer.complain = { [unowned self, unowned client] in fail("client \(client.number): \($0)") }
        transport?.onPacket = { [unowned self, unowned client] in judge(client, $0, $1) }
        return transport
    }

    /// The client has another address: its old one is silent from now on.
    private func restart(_ transport: PoPTransport, _ sdp: String) -> Bool {
        nextPort += 1
        guard transport.restart(PoPAnswer(sdp), port: nextPort) else { return false }
        tally.restarts += 1
        return true
    }

    func client(_ id: String?) -> PoPClient? { id.flatMap { id in clients.first { $0.id == id } } }

    // MARK: time

    /// Lets `span` pass, and everybody do what is due, until nothing is on its way.
    func pass(_ span: UInt64) async {
        var rest = span
        // Within the time in which everybody shows that it still is there.
        while rest > 5_000_000_000 {
            rest -= 5_000_000_000
            await turn(after: 5_000_000_000)
        }
        await turn(after: rest)
        for _ in 0..<40 {
            await turn(after: World.step)
            if await isQuiet { break }
        }
        if world.now >= sweptAt + 1_000_000_000 {
            sweptAt = world.now
            await hub.sweep()
            await takeNews()
        }
        for meeting in meetings { await hub.flush(meeting) }
        for client in clients { client.read() }
        judgeDoubts()
    }

    private var isQuiet: Bool {
        get async {
            if isMoving { return false }
            let idle = await director.idleWorkers
            let isRead = idle.indices.allSatisfy { world.held.contains($0) || idle[$0] }
            let isHeard = world.mailboxes.allSatisfy { !$0.hasNews && $0.replies.count == 0 }
            return isRead && (isHeard || !world.held.isEmpty) && world.port.nextEvent == nil
        }
    }

    func turn(after span: UInt64) async {
        for (worker, time) in releases where time <= world.now {
            releases[worker] = nil
            world.held.remove(worker)
        }
        let idle = await director.idleWorkers
        for client in clients { client.transport?.turn() }
        for worker in caughtUp.indices where idle[worker] { caughtUp[worker] = world.now + span }
        isMoving = false
        world.turn(after: span)
        clock.nanoseconds = world.now
        loseEvents()
        await director.poll(now: world.now)
        await takeNews()
    }

    private func loseEvents() {
        guard course.eventLoss > 0 else { return }
        for mailbox in world.mailboxes where Double.random(in: 0..<1, using: &random) < course.eventLoss {
            while mailbox.events.pop() != nil {}
        }
    }

    /// Hands what the director told to the hub, and what the hub told to the clients.
    func takeNews() async {
        await media.deliverNews()
        for client in clients { client.read() }
    }

    private func deliver(_ frame: [UInt8]) {
        isMoving = true
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes) else { return }
            let destination = datagram.destination
            for client in clients {
                guard let transport = client.transport, transport.peer.endpoint == destination else { continue }
                transport.receive(Array(datagram.payload))
            }
        }
    }

    // MARK: the rule of each packet

    /// A packet in a Slot is of whom the client was told, or was until the worker read otherwise.
    private func judge(_ viewer: PoPClient, _ mid: String, _ stamp: PoPTransport.Stamp?) {
        guard let stamp, let source = clients.first(where: { $0.number == stamp.publisher }),
            var tile = viewer.tiles[mid]
        else { return fail("client \(viewer.number): a packet of nobody in Slot \(mid)") }
        tally.packets += 1
        tally.note("\(viewer.number) \(mid) \(stamp.publisher) \(world.now)")
        guard source !== viewer else { return fail("client \(viewer.number) gets what it sent, in Slot \(mid)") }
        guard source.home == viewer.home else {
            return fail("client \(viewer.number) gets \(source.number), who is in another meeting")
        }
        tile.shown = (stamp.publisher, world.now)
        viewer.tiles[mid] = tile
        guard viewer.isListening, let worker = viewer.transport?.peer.worker else { return }
        let kind = ["audio": MediaKind.audio, "video": .video, "screen": .screen][tile.source]
        if kind != stamp.kind {
            fail("client \(viewer.number): \(stamp.kind) in Slot \(mid), which is for \(tile.source)")
        }
        if tile.occupant == source.id { return }
        let since = caughtUp[worker]
        let transit = course.link.delay + course.link.jitter
        // Who came and went while it had no socket it was not told.
        if viewer.listensSince + transit >= since { return }
        if tile.former.contains(where: { $0.occupant == source.id && $0.until + transit >= since }) { return }
        doubts.append(
            Doubt(
                viewer: viewer, mid: mid, source: source.id,
                fault: "client \(viewer.number) gets \(source.number) in Slot \(mid), and was told "
                    + (client(tile.occupant).map { "\($0.number)" } ?? tile.occupant ?? "nobody")))
    }

    /// What is gathered reaches a client later than the first packet may; now all of it has.
    private func judgeDoubts() {
        for doubt in doubts where doubt.viewer.tiles[doubt.mid]?.occupant != doubt.source { fail(doubt.fault) }
        doubts = []
    }
}
