import Logging
import Mailbox
import Meetings
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Agents
@testable import Conference

/// Time that only a test moves, nanoseconds.
final class MediaClock: Sendable {
    private let value = Atomic<UInt64>(1_000_000_000)

    var now: UInt64 { value.load(ordering: .relaxed) }
    func advance(milliseconds: UInt64) { value.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed) }
}

/// What a client of the tests offers; its text stands for the SDP.
struct FakeOffer {
    var microphone = true
    /// Beside the microphone.
    var sound = false
    var camera = true
    var screen = false
    var audioSlots = 3
    var videoSlots = 25
    var screenSlots = 1
    var codec = Codec.vp8
    var codecs = [Codec.vp8]

    /// `2 1 0 3 25 1 1 2`: how many sounds, cameras and screens it sends, its Slots, the raw value of its codec, those that it receives.
    var text: String {
        let sends = [(microphone ? 1 : 0) + (sound ? 1 : 0), camera ? 1 : 0, screen ? 1 : 0].map(String.init)
        let slots = [audioSlots, videoSlots, screenSlots].map(String.init)
        return (sends + slots + [String(codec.rawValue)] + codecs.map { String($0.rawValue) }).joined(separator: " ")
    }

    /// Plays the answerer: the answer is our ufrag, so that a test knows which session is whose.
    static func answer(
        _ text: String, _ ufrag: String, _ password: String, _ random: inout any RandomNumberGenerator & Sendable,
        fingerprint: Fingerprint
    ) throws(SDPError) -> Negotiation {
        let words = text.split(separator: " ").compactMap { UInt8($0) }
        guard words.count >= 8 else { throw SDPError(.malformed, line: 1, "not an offer") }
        guard words[0...5].contains(where: { $0 > 0 }) else { throw SDPError(.unusable, "nothing to carry") }
        var mid = 0
        let nextMid = { () -> String in
            defer { mid += 1 }
            return String(mid)
        }
        let codec = Codec(rawValue: words[6]) ?? .vp8
        let kinds = [MediaKind.audio, .video, .screen]
        let sources = zip(words[0...2], kinds).flatMap { count, kind in Array(repeating: kind, count: Int(count)) }
        let sends = sources.map { kind in
            SendMedia(
                mid: nextMid(), kind: kind, codec: kind == .audio ? .opus : codec,
                payloadTypes: PayloadTypes(media: 96, rtx: 97), feedback: .all,
                layers: ["q", "h", "f"].map { SendLayer(rid: $0, ssrc: 0, rtxSsrc: 0) }, stream: "")
        }
        var video = PayloadTypeMap()
        for word in words[7...] { Codec(rawValue: word).map { video[$0] = PayloadTypes(media: 96, rtx: 97) } }
        var audio = PayloadTypeMap()
        audio[.opus] = PayloadTypes(media: 111)
        let slots = zip(words[3...5], [MediaKind.audio, .video, .screen])
        let receives = slots.flatMap { count, kind in
            (0..<count).map { _ in
                ReceiveMedia(
                    mid: nextMid(), kind: kind, payloadTypes: kind == .audio ? audio : video,
                    ssrc: UInt32.random(in: 1 ... .max, using: &random), rtxSsrc: 0)
            }
        }
        return Negotiation(
            remoteUfrag: "abcd", remotePassword: String(repeating: "p", count: 22), fingerprint: fingerprint,
            dtlsRole: .server, extensions: ExtensionMap(), sends: sends, receives: receives,
            reducedSizeRTCP: true, transportFeedback: true, answer: ufrag)
    }
}

/// A director with fake workers, and the words for what happens in a meeting.
final class MediaFixture {
    let director: MediaDirector
    let workers: [FakeWorker]
    let clock = MediaClock()
    /// The certificate of the clients.
    let client: Certificate
    /// What was heard so far.
    private var heard: [MediaUpdate] = []

    init(
        workers count: Int, capacity: Capacity = Capacity(sessions: 64, tracks: 512, slots: 2_048), depth: Int = 16_384,
        datagrams: Int = 64, seed: UInt64 = 1, options: MediaDirector.Options = .init()
    ) throws {
        workers = (0..<count).map {
            FakeWorker(number: $0, mailbox: WorkerMailbox(depth: depth, datagrams: datagrams), capacity: capacity)
        }
        client = try Certificate(notBefore: 1_700_000_000)
        let fingerprint = client.fingerprint
        let clock = clock
        let answering: MediaDirector.Answering = { (offer, _, ufrag, password, random) throws(SDPError) in
            try FakeOffer.answer(offer, ufrag, password, &random, fingerprint: fingerprint)
        }
        director = MediaDirector(
            workers: workers.map(\.mailbox), capacity: capacity, pop: 7,
            certificate: try Certificate(notBefore: 1_700_000_000), options: options,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, generator: SplitMix(seed: seed),
            clock: { clock.now }, answering: answering)
        for worker in workers {
            worker.catchUp = { [unowned self] number in workers.indices.contains(number) ? workers[number] : nil }
        }
    }

    deinit { for worker in workers { worker.mailbox.deallocate() } }

    var faults: [String] { workers.flatMap(\.faults) }

    @discardableResult
    func join(
        _ participant: ParticipantID, _ meeting: MeetingID = .test, _ offer: FakeOffer = FakeOffer(),
        _ state: PublishedMedia = .camera, _ view: MediaView = MediaView()
    ) async throws -> OwnerUfrag {
        let answer = try await director.connect(
            participant, in: meeting, MediaOffer(sdp: offer.text, state: state, view: view)
        ).sdp
        guard let ufrag = answer.utf8.withContiguousStorageIfAvailable({ OwnerUfrag(UnsafeRawBufferPointer($0)) }),
            let ufrag
        else { throw MediaError(.badOffer, "no ufrag") }
        return ufrag
    }

    /// Joins, and lets everybody come to rest.
    @discardableResult
    func enter(
        _ participant: ParticipantID, _ meeting: MeetingID = .test, _ offer: FakeOffer = FakeOffer(),
        _ state: PublishedMedia = .camera, _ view: MediaView = MediaView()
    ) async throws -> SessionHandle {
        try await join(participant, meeting, offer, state, view)
        await rest()
        return try #require(await director.session(of: participant))
    }

    /// One poll, and each worker reads all.
    func turn(milliseconds: UInt64 = 2) async {
        clock.advance(milliseconds: milliseconds)
        await director.poll()
        for worker in workers where !worker.isHeld { worker.turn() }
    }

    /// Until nothing is due any more.
    func rest() async {
        for _ in 0..<2_000 {
            await turn()
            let isRead = workers.allSatisfy { $0.mailbox.events.count == 0 && $0.mailbox.commands.count == 0 }
            if isRead, await director.isAtRest { return }
        }
        Issue.record("no rest after 2000 turns")
    }

    /// Whom the worker really shows in each Slot of the participant, by mid.
    func shown(to participant: ParticipantID) async -> [String: ParticipantID] {
        guard let session = await director.session(of: participant) else { return [:] }
        let worker = workers[session.worker]
        var shown: [String: ParticipantID] = [:]
        for slot in worker.slots.values where slot.opening.session == session {
            guard let track = worker.tracks[slot.track] else { continue }
            let mid = String(
                decoding: (0..<Int(slot.opening.mid.count)).map { slot.opening.mid.bytes[$0] }, as: UTF8.self)
            var source = track
            if let origin = track.source.origin {
                guard workers[origin.worker].feeds[origin]?.contains(slot.track) == true,
                    let opening = workers[origin.worker].tracks[origin]
                else { continue }
                source = opening
            }
            if let publisher = source.source.session { shown[mid] = await director.participant(of: publisher) }
        }
        return shown
    }

    /// What the signaling tells, by source: who is in a Slot, in the order of the m-lines.
    func told(_ participant: ParticipantID, _ source: SlotSource) async -> [ParticipantID?] {
        await director.slots(of: participant).filter { $0.source == source }.map(\.participant)
    }

    /// The tallest picture that the worker may send into each occupied video Slot.
    func heights(of participant: ParticipantID, _ kind: MediaKind = .video) async -> Set<UInt16> {
        guard let session = await director.session(of: participant) else { return [] }
        let slots = workers[session.worker].slots.values
        return Set(
            slots.filter { $0.opening.session == session && $0.opening.kind == kind && !$0.track.isNone }
                .map(\.maxHeight))
    }

    /// Hears what was told so far, as the signaling does all the time.
    func hear() async {
        var isMarked = await director.mark()
        for await batch in director.updates {
            if batch.isEmpty { return }
            heard += batch
            if !isMarked { isMarked = await director.mark() }
        }
    }

    /// Ends the updates and answers all of them.
    func allUpdates() async -> [MediaUpdate] {
        var all = heard
        var reader = director.updates.makeAsyncIterator()
        while await director.tellOrWait(), let batch = await reader.next() { all += batch }
        await director.finishUpdates()
        while let batch = await reader.next() { all += batch }
        return all
    }
}

extension MediaDirector {
    func session(of participant: ParticipantID) -> SessionHandle? { members[participant]?.session }
    func state(of participant: ParticipantID) -> PublishedMedia? { members[participant]?.state }
    func participant(of session: SessionHandle) -> ParticipantID? { agents[session]?.participant }
    /// No Slot is due, and no worker has something to be told.
    var isAtRest: Bool { queue.isEmpty && feeds.isEmpty && workers.allSatisfy(\.isIdle) }
    /// Tells what waits; true when the reader has no room for it.
    func tellOrWait() -> Bool {
        commit()
        return !news.waiting.isEmpty
    }
    /// An empty batch behind what was told; false when the stream is full.
    func mark() -> Bool { if case .enqueued = news.reader.yield([]) { true } else { false } }
    func finishUpdates() { news.reader.finish() }
    /// Sessions, Tracks and Slots that are not free.
    func placesInUse() -> [Int] {
        [
            workers.reduce(0) { $0 + $1.sessions.used }, workers.reduce(0) { $0 + $1.tracks.used },
            workers.reduce(0) { $0 + $1.slots.used },
        ]
    }
    /// Likewise Lanes and Crossings.
    func trunkPlacesInUse() -> [Int] {
        [workers.reduce(0) { $0 + $1.lanes.used }, workers.reduce(0) { $0 + $1.crossings.used }]
    }
    var isForgotten: Bool {
        members.isEmpty && meetings.isEmpty && agents.isEmpty && connecting.isEmpty && publishers.isEmpty
            && replicas.count == 0 && feeds.isEmpty && closing.isEmpty && starved.isEmpty && sounding.isEmpty
            && trunks.isIdle
    }
}

extension PublishedMedia {
    /// Microphone and camera.
    static let camera = PublishedMedia(audio: true, video: true)
}

extension MeetingID {
    static let test = MeetingID("m_test")!
}

extension ParticipantID {
    static func named(_ number: Int) -> ParticipantID { ParticipantID("p_\(number)")! }
}

extension SourceID {
    static func named(_ number: Int) -> SourceID { SourceID(.named(number), .microphone) }
}
