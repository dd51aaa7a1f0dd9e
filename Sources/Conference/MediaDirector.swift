import Agents
import Logging
import Mailbox
import Meetings
import Wire

/// The control plane's only hand on the workers' mailboxes: opens and closes Sessions, Tracks and Slots,
/// runs the handshakes, and decides who is in which Slot.
///
/// `poll` must be called often (2 ms): it hears the workers, keeps the timers, and tells the workers
/// what changed. No call blocks.
public actor MediaDirector: MediaPlane {
    /// Limits and times.
    public struct Options: Sendable {
        /// Nanoseconds from the answer until ICE and DTLS must be done.
        public var connectTimeout: UInt64 = 30_000_000_000
        /// Nanoseconds after which a worker that has read a close and not confirmed it is taken at its silence.
        public var closeTimeout: UInt64 = 5_000_000_000
        /// Viewers whose Slots are filled anew in one call: a poll stays at a few milliseconds also when a change
        /// touches a meeting of a thousand.
        public var refreshBudget = 256
        /// Polls at most, after the last Session was told to close, until the workers have confirmed it.
        public var farewellPolls = 250
        /// Nanoseconds for which a source of another PoP is taken after its last Slot let it go, so that switching to and fro
        /// costs nothing.
        public var importLinger: UInt64 = 300_000_000
        /// Nanoseconds for which a Lane is kept over which nothing comes.
        public var laneLinger: UInt64 = 10_000_000_000
        /// Nanoseconds after which a Lane gets another key.
        public var laneKeyAge: UInt64 = 3_600_000_000_000
        /// Nanoseconds for which another PoP waits for what we relay and do not get.
        public var relayPatience: UInt64 = 2_000_000_000
        /// Lanes that one PoP may open to us: 16 workers of it to 16 of ours.
        public var mostLanes = 256
        /// Tracks that one PoP may be carried.
        public var mostExports = 4_096
        /// The largest DTLS datagram that we make, bytes of UDP payload.
        public var mtu = 1200
        /// What we ask publishers of video for, the most preferred first.
        public var videoCodecs: [Codec] = [.vp8, .h264, .vp9, .av1]

        public init() {}
    }

    /// Makes the answer to an offer: offer, what the client has already, our ufrag, our password, randomness.
    typealias Answering =
        @Sendable (String, Negotiation?, String, String, inout any RandomNumberGenerator & Sendable) throws(SDPError)
        -> Negotiation

    public nonisolated let updates: AsyncStream<[MediaUpdate]>
    /// What is told when the workers are.
    private(set) var news = MediaNews()

    let pop: UInt16
    let options: Options
    let logger: Logger
    let answering: Answering
    let certificate: Certificate
    private let clock: @Sendable () -> UInt64
    var generator: any RandomNumberGenerator & Sendable

    var workers: [WorkerLink]
    var members: [ParticipantID: MediaMember] = [:]
    /// By room, of meetings that somebody is in.
    var meetings: [MeetingRoom: MediaMeeting] = [:]
    /// Of meetings with breakout rooms.
    var arrangements: [MeetingID: RoomArrangement] = [:]
    var agents: [SessionHandle: SessionAgent] = [:]
    /// Sessions with a timer: those that do not flow yet.
    var connecting: Set<SessionHandle> = []
    /// Which source a Track is; replicas are not in it.
    var publishers: [TrackHandle: SourceID] = [:]
    var replicas = ReplicaLedger()
    var feeds: [PendingFeed] = []
    var closing = ClosingLedger()
    /// Viewers whose Slots are to be filled anew, the longest waiting first.
    var queue: [ParticipantID] = []
    /// Viewers that lack a Track because a worker had no place for its replica.
    var starved: Set<ParticipantID> = []
    /// Rooms in which somebody makes a sound.
    var sounding: Set<MeetingRoom> = []
    var isDraining = false
    /// Other PoPs, and what comes from them and goes there.
    var trunks = TrunkTable()
    nonisolated let trunkOutput: AsyncStream<TrunkMessage>
    /// Tells this start of the director from others.
    let instance: UInt64
    /// Whether there is a media address of IPv6, and of IPv4.
    let addressFamilies: Set<Bool>
    var statistics = MediaStatistics()

    private var nextSerial: UInt64 = 0
    /// Nanoseconds of the clock at the last poll.
    private(set) var lastPoll: UInt64 = 0
    private var nextTick: UInt64 = 0
    private var nextReclaim: UInt64 = 0
    private var nextTrunks: UInt64 = 0
    private static let trunkPeriod: UInt64 = 40_000_000

    /// A replica that its source's worker is to feed as soon as its own worker can see it.
    struct PendingFeed {
        var key: ReplicaLedger.Key
        var replica: TrackHandle
        /// The change of the replica's worker that opens it; nil before that is sealed.
        var after: UInt64?
    }

    /// - Parameters:
    ///   - workers: the mailboxes by worker number; at most 256.
    ///   - capacity: the tables' sizes, those that the workers were started with.
    ///   - pop: this PoP's number, part of every ufrag.
    ///   - certificate: given away, as one owner uses it with all handshakes.
    ///   - candidates: our media addresses, the most preferred first.
    ///   - generator: secrets come from it; a cryptographic one in production.
    ///   - clock: monotonic nanoseconds.
    public init(
        workers: [WorkerMailbox], capacity: Capacity, pop: UInt16, certificate: sending Certificate,
        candidates: [Endpoint], options: Options = Options(), logger: Logger,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        clock: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds
    ) {
        let answerer = Answerer(
            fingerprint: certificate.fingerprint, candidates: candidates, videoCodecs: options.videoCodecs)
        self.init(
            workers: workers, capacity: capacity, pop: pop, certificate: certificate, options: options,
            logger: logger, generator: generator, clock: clock,
            addressFamilies: Set(candidates.map { !$0.address.isV4 })
        ) { (offer, earlier, ufrag, password, random) throws(SDPError) in
            try answerer.answer(to: offer, after: earlier, ufrag: ufrag, password: password, using: &random)
        }
    }

    init(
        workers: [WorkerMailbox], capacity: Capacity, pop: UInt16, certificate: sending Certificate,
        options: Options, logger: Logger, generator: any RandomNumberGenerator & Sendable,
        clock: @escaping @Sendable () -> UInt64, addressFamilies: Set<Bool> = [false],
        answering: @escaping Answering
    ) {
        precondition((1...256).contains(workers.count), "there are 1 to 256 workers")
        self.pop = pop
        self.options = options
        self.logger = logger
        self.answering = answering
        self.certificate = certificate
        var generator = generator
        instance = generator.next()
        self.generator = generator
        self.addressFamilies = addressFamilies
        self.clock = clock
        self.workers = workers.enumerated().map { index, mailbox in
            WorkerLink(worker: UInt8(index), mailbox: mailbox, capacity: capacity)
        }
        updates = news.stream
        trunkOutput = trunks.outbox.stream
    }

    // MARK: the loop

    /// Polls until the task is cancelled, when a worker has told something and each `interval`, then closes every Session
    /// and waits a little for the workers to confirm it.
    public func run(interval: Duration = .milliseconds(20)) async {
        let rounds = WorkerRounds(workers.map(\.mailbox.controlBell), interval: interval)
        await rounds.run(hasNews: { workers.contains(where: \.mailbox.hasNews) }, look: { poll(now: clock()) })
        stop()
        for _ in 0..<options.farewellPolls where !closing.isEmpty {
            // In a task of its own, as a sleep in a cancelled one ends at once.
            await Task { try? await Task.sleep(for: .milliseconds(2)) }.value
            poll(now: clock())
        }
    }

    /// Hears the workers, keeps the timers, and tells the workers what changed.
    public func poll() { poll(now: clock()) }

    /// - Parameter now: nanoseconds of the clock.
    func poll(now: UInt64) {
        lastPoll = now
        for worker in workers.indices { hear(worker, now: now) }
        keepTimers(now: now)
        if now >= nextTick {
            nextTick = now + SpeakerRanking.period
            tellLevels()
            orderSpeakers()
        }
        if now >= nextReclaim {
            nextReclaim = now + 1_000_000_000
            reclaim(now: now)
        }
        if now >= nextTrunks {
            nextTrunks = now + Self.trunkPeriod
            keepTrunks(now: now)
        }
        refresh()
        commit()
    }

    /// Refuses newcomers and tells the workers to close every Session.
    public func stop() {
        isDraining = true
        for participant in members.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            tell(.failed(participant, reason: MediaFailure.stopping))
            remove(participant, now: clock(), reason: MediaFailure.stopping.rawValue)
        }
        endTrunks()
        commit()
    }

    /// No Session begins any more; those inside go on.
    public func drain() { isDraining = true }

    // MARK: MediaPlane
    //
    // What a client may say often waits for the next poll, so that saying it a thousand times costs a worker
    // no more than saying it once.

    public func connect(
        _ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer
    ) async throws -> MediaConnection {
        defer { settle() }
        guard let answer = try goOn(participant, offer.sdp, now: clock()) else {
            return try admit(participant, in: meeting, offer, now: clock())
        }
        await setMediaState(participant, offer.state)
        await setView(participant, offer.view)
        guard let member = members[participant] else { return MediaConnection(sdp: answer, slots: []) }
        return MediaConnection(
            sdp: answer, slots: member.slots.map(\.assignment), publishes: member.publishes,
            publication: publication(of: member))
    }

    public func restart(_ participant: ParticipantID, _ offer: String) async throws -> String {
        defer { settle() }
        if let answer = try goOn(participant, offer, now: clock()) { return answer }
        throw MediaError(.noSession, "there is no media session that this offer goes on with")
    }

    public func disconnect(_ participant: ParticipantID) async {
        remove(participant, now: clock())
        settle()
    }

    public func setView(_ participant: ParticipantID, _ view: MediaView) async {
        guard let member = members[participant], member.view != view else { return }
        member.view = view
        meetings[room(of: participant, in: member.meeting)]?.setView(participant, view)
        touch([participant])
    }

    public func setMediaState(_ participant: ParticipantID, _ state: PublishedMedia) async {
        guard let member = members[participant], member.state != state else { return }
        member.state = state
        updateSources(of: participant)
    }

    public func slots(of participant: ParticipantID) async -> [SlotAssignment] {
        guard let member = members[participant] else { return [] }
        if member.isQueued, !workers[member.worker].isCongested {
            fill(participant, isSilent: false)
            commit()
        }
        return members[participant]?.slots.map(\.assignment) ?? []
    }

    /// What the media side holds and what went wrong so far.
    public func currentStatistics() -> MediaStatistics {
        var current = statistics
        current.sessions = members.count
        current.replicas = replicas.count
        current.waitingViewers = queue.count
        for worker in workers {
            current.delayedChanges += worker.delays
            current.droppedReplies += worker.droppedReplies
        }
        return current
    }

    // MARK: small helpers of all parts

    /// Fills what is due and tells the workers.
    func settle() {
        refresh()
        commit()
    }

    /// Adds to what the signaling is told at the next `commit`.
    func tell(_ update: MediaUpdate) { news.add(update) }

    func takeSerial() -> UInt64 {
        nextSerial += 1
        return nextSerial
    }

    /// Tells the workers what was sent since the last time. A replica is fed only when its worker can see it:
    /// what the source's worker passes on must find an entry there.
    func commit() {
        news.hand()
        for worker in workers.indices { workers[worker].commit() }
        guard !feeds.isEmpty else { return }
        var held: [PendingFeed] = []
        for var feed in feeds {
            let after = feed.after ?? workers[feed.key.worker].sealed
            feed.after = after
            if workers[feed.key.worker].delivered < after || trunks.isPending(feed.key.origin) {
                held.append(feed)
            } else if replicas.beginFeeding(feed.key, replica: feed.replica) {
                workers[feed.key.origin.worker].send(.feed(feed.key.origin, replica: feed.replica))
            }
        }
        feeds = held
        for worker in workers.indices { workers[worker].commit() }
    }
}

/// What the media side holds and what went wrong so far.
public struct MediaStatistics: Sendable, Equatable {
    public var sessions = 0
    /// Tracks that another worker feeds.
    public var replicas = 0
    /// Viewers whose Slots are due to be filled anew.
    public var waitingViewers = 0
    /// Tries to tell a worker something that found its ring full.
    public var delayedChanges: UInt64 = 0
    /// DTLS datagrams dropped because a worker's ring was full.
    public var droppedReplies: UInt64 = 0
    /// Offers by which a client began anew to look for a way to its session.
    public var restarts: UInt64 = 0
    /// Offers refused because no worker had place.
    public var refusedSessions: UInt64 = 0
    /// Slots left empty because a worker had no place for a replica.
    public var refusedReplicas: UInt64 = 0
    /// Datagrams for nobody: no such Session, or no valid ICE check yet.
    public var strayDatagrams: UInt64 = 0
    /// Sources of other PoPs that were asked for and refused, and those that we refused.
    public var refusedImports: UInt64 = 0
    public var refusedExports: UInt64 = 0
    /// Messages of other directors: those that keep to nothing, and those from where there is no link.
    public var malformedTrunkMessages: UInt64 = 0
    public var strayTrunkMessages: UInt64 = 0
    /// Places taken back without a worker's word.
    public var reclaimedPlaces: UInt64 = 0
    /// Sessions that were connected and those that ended against anybody's will.
    public var connected: UInt64 = 0
    public var failed: UInt64 = 0

    public init() {}
}
