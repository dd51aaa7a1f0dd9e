import Foundation
import GRDB
import Logging
import Meetings
import Synchronization
import Webhooks

/// What lasts: meetings, who was in them when, and what their hosts decided, in a file of SQLite.
///
/// The meetings in memory stay the truth for those who are in them; the Store follows. Its calls never wait for the disk on
/// the caller's thread, and a disk that fails or is slow keeps nobody for longer than the patience.
public final class MeetingStore: Sendable {
    let file: StoreFile
    private let queue = StoreQueue()
    /// Nil without endpoints of webhooks.
    let outbox: WebhookOutbox?
    private let writer: StoreWriter
    private let work = DispatchQueue(label: "store writer")
    private let reads = DispatchQueue(label: "store reader")
    private let waitingReads = Mutex(0)
    private let readUnderWay: Mutex<ObjectIdentifier?> = Mutex(nil)
    private let watch: Mutex<Task<Void, Never>?> = Mutex(nil)
    private let patience: Duration
    private let logger: Logger

    /// How long a write that nobody waits for is gathered with others.
    private static let gatherTime = DispatchTimeInterval.milliseconds(100)
    /// Who comes while so many wait to read is told at once that it takes too long.
    static let readLimit = 256

    /// Opens a file, or makes it, and brings it to this program's schema.
    ///
    /// - Parameters:
    ///   - patience: how long somebody waits for a write at most.
    ///   - webhooks: who is told of what happens; each event is written down in the transaction of what it tells of.
    ///   - utc: the time of events that have none of their own.
    /// - Throws: `StoreRefusal` of a file that cannot be written, is another program's, or has a newer schema.
    public convenience init(
        path: String, patience: Duration = .seconds(5), webhooks: [WebhookSubscription] = [],
        utc: @escaping @Sendable () -> Timestamp = {
            Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        },
        logger: Logger
    ) throws(StoreRefusal) {
        let outbox = webhooks.isEmpty ? nil : WebhookOutbox(webhooks, utc: utc)
        try self.init(path: path, patience: patience, outbox: outbox, logger: logger, beforeCommit: nil)
        // Without any endpoint what waits for those of before is given up all the same.
        if outbox == nil { try WebhookOutbox([], utc: utc).open(file) }
    }

    init(
        path: String, patience: Duration = .seconds(5), outbox: WebhookOutbox? = nil, logger: Logger,
        beforeCommit: (@Sendable () -> Void)?
    ) throws(StoreRefusal) {
        file = try StoreFile(path)
        self.outbox = outbox
        try outbox?.open(file)
        writer = StoreWriter(file, queue: queue, outbox: outbox, logger: logger, beforeCommit: beforeCommit)
        self.patience = patience
        self.logger = logger
        add(.init(writes: [.closeSessions], stays: true))
        let interval = min(.seconds(1), patience / 4)
        let task = Task { [weak self] in
            while (try? await Task.sleep(for: interval)) != nil { self?.look() }
        }
        watch.withLock { $0 = task }
    }

    deinit { watch.withLock { $0?.cancel() } }

    /// For tests.
    var readsThatWait: Int { waitingReads.withLock { $0 } }

    public var reading: StoreReading { queue.reading }

    /// All meetings that have not ended, the oldest first. Blocks.
    public func meetings() throws(StoreRefusal) -> [StoredMeeting] {
        do {
            let (meetings, unreadable) = try file.database.read { try StoredMeeting.all($0) }
            for id in unreadable {
                logger.error("A meeting in the Store cannot be read: it is left out", metadata: ["meeting_id": "\(id)"])
            }
            return meetings
        } catch {
            throw StoreRefusal("\(file.path) cannot be read: \(error)")
        }
    }

    /// Messages of a meeting's chat that memory does not have any more, in their order: behind all that was written before.
    ///
    /// - Parameter cursor: named instead of the number in `query`, where its own is not known.
    /// - Throws: `StoreFailure` where it cannot be read in time, or lacks what could not be written.
    /// - Returns: nil where there is no such message as `cursor`, or none that may be read.
    public func chat(
        _ query: ChatQuery, in meeting: MeetingID, from cursor: ChatMessageID? = nil
    ) async throws(StoreFailure) -> [ChatMessage]? {
        try await answer { try query.fetch($0, in: meeting, from: cursor) }
    }

    /// What a reader finds, behind all that was written before.
    ///
    /// - Throws: `StoreFailure` where it cannot be read in time, or lacks what could not be written.
    func answer<Answer: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Answer
    ) async throws(StoreFailure) -> Answer {
        let isBusy = waitingReads.withLock { waiting in
            if waiting < Self.readLimit { waiting += 1 } else { return true }
            return false
        }
        if isBusy { throw .late }
        let outcome = await withCheckedContinuation { continuation in
            let answer = FirstAnswer<Result<Answer, StoreFailure>>(continuation)
            work.async { [self] in
                // What cannot be written is tried again each second, and not for each who reads.
                if !queue.isDown { writer.drain() }
                reads.async { [self] in
                    defer { waitingReads.withLock { $0 -= 1 } }
                    guard !answer.isGiven else { return }
                    guard !queue.isDown else {
                        answer.give(.failure(.unavailable("it cannot be written")))
                        return
                    }
                    readUnderWay.withLock { $0 = ObjectIdentifier(answer) }
                    answer.give(file.read(body))
                    readUnderWay.withLock { $0 = nil }
                }
            }
            Self.later(patience) { [self] in
                guard answer.give(.failure(.late)) else { return }
                // Those behind it have not begun.
                readUnderWay.withLock { if $0 == ObjectIdentifier(answer) { file.endRead() } }
            }
        }
        return try outcome.get()
    }

    // MARK: What is acknowledged

    /// Returns when a new meeting is stored. Where that is not known in time, it will be as one that has ended.
    public func keep(_ meeting: MeetingRecord, _ decision: HostDecision?) async throws(StoreFailure) {
        // SQLite ends a text there: it would come back as somebody else's.
        guard !meeting.owner.utf8.contains(0) else { throw .unavailable("a zero byte in the owner's name") }
        let undo = StoreWrite.end(meeting.id, at: meeting.createdAt, reason: "not_acknowledged")
        try await acknowledged(.meeting(meeting), decision, stays: false, undo: undo)
    }

    /// Returns when a meeting is stored as it shall be. Where that is not known in time, it stays what it was.
    public func change(
        _ meeting: MeetingRecord, from before: MeetingRecord, _ decision: HostDecision?
    ) async throws(StoreFailure) {
        try await acknowledged(.meeting(meeting), decision, stays: false, undo: .meeting(before))
    }

    /// Returns when it is stored that the meeting has ended. Where it is not in time, it will be: that waits for as long as the
    /// process runs.
    public func end(
        _ meeting: MeetingID, at moment: Timestamp, reason: String, _ decision: HostDecision?
    ) async throws(StoreFailure) {
        try await acknowledged(.end(meeting, at: moment, reason: reason), decision, stays: true)
    }

    /// Returns when a change of what waits to be delivered is stored. Where it is not in time, it will be.
    public func change(_ delivery: DeliveryChange) async throws(StoreFailure) {
        try await acknowledged(.delivery(delivery), nil, stays: true)
    }

    private func acknowledged(
        _ write: StoreWrite, _ decision: HostDecision?, stays: Bool, undo: StoreWrite? = nil
    ) async throws(StoreFailure) {
        let writes = [write] + (decision.map { [.decision($0)] } ?? [])
        let failure = await withCheckedContinuation { continuation in
            add(
                .init(writes: writes, stays: stays, undo: undo, isBounded: false) {
                    continuation.resume(returning: $0)
                })
        }
        if let failure { throw failure }
    }

    // MARK: What follows behind

    /// The meeting has ended, and nobody waits for that to be stored.
    public func noteEnd(of meeting: MeetingID, at moment: Timestamp, reason: String) {
        add(.init(writes: [.end(meeting, at: moment, reason: reason)], stays: true, isBounded: false))
    }

    public func noteLock(_ isLocked: Bool, of meeting: MeetingID, _ decision: HostDecision?) {
        follow([.lock(meeting, isLocked)] + (decision.map { [.decision($0)] } ?? []))
    }

    public func note(_ decision: HostDecision) { follow([.decision(decision)]) }

    /// A message of the chat is as it is now.
    public func noteChat(_ message: ChatMessage, in meeting: MeetingID) { follow([.chat(message, meeting)]) }

    /// A poll is as it is now.
    public func notePoll(_ poll: Poll, in meeting: MeetingID, _ decision: HostDecision? = nil) {
        follow([.poll(poll.kept, meeting)] + (decision.map { [.decision($0)] } ?? []))
    }

    public func noteDeletion(of poll: PollID, _ decision: HostDecision) {
        follow([.deletePoll(poll), .decision(decision)])
    }

    /// Somebody is in a meeting, since `joinedAt`.
    public func noteJoin(_ participant: Participant, in meeting: MeetingID) { follow([.joined(participant, meeting)]) }

    /// Somebody has another role now.
    public func noteRole(_ role: Role, of participant: ParticipantID, at moment: Timestamp) {
        // Nobody but those who are told of events has anything of it.
        if outbox != nil { follow([.role(participant, role, at: moment)]) }
    }

    public func noteLeave(_ participant: ParticipantID, at moment: Timestamp, reason: String) {
        follow([.left(participant, at: moment, reason: reason)])
    }

    private func follow(_ writes: [StoreWrite]) { add(.init(writes: writes, stays: true)) }

    // MARK: The writer

    private func add(_ group: StoreQueue.Group) {
        switch queue.add(group) {
        case .never: break
        case .soon: work.asyncAfter(deadline: .now() + Self.gatherTime) { [writer] in writer.drain() }
        case .now: work.async { [writer] in writer.drain() }
        }
    }

    private static func later(_ time: Duration, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + time / .seconds(1), execute: body)
    }

    private func look() {
        if queue.giveUp(after: patience, at: .now) {
            logger.warning(
                "The Store is slow: calls go on, and no meeting can be made", metadata: ["file": "\(file.path)"])
        }
        if queue.isDown, !queue.isWriting { work.async { [writer] in writer.retry() } }
    }

    /// Writes what waits, and closes the file; a disk that takes too long is not waited for.
    public func close() async {
        queue.close()
        watch.withLock { $0?.cancel() }
        await withCheckedContinuation { continuation in
            let end = FirstAnswer<Void>(continuation)
            work.async { [writer, file] in
                writer.drain()
                file.close()
                end.give(())
            }
            Self.later(patience) { _ = end.give(()) }
        }
        let waiting = reading.waiting
        if waiting > 0 {
            logger.error("What waited for the Store is lost", metadata: ["writes": "\(waiting)"])
        }
    }
}

/// Who waits is told what comes first, once.
private final class FirstAnswer<Answer: Sendable>: Sendable {
    private let waiter: Mutex<CheckedContinuation<Answer, Never>?>

    init(_ waiter: CheckedContinuation<Answer, Never>) { self.waiter = Mutex(waiter) }

    var isGiven: Bool { waiter.withLock { $0 == nil } }

    /// - Returns: whether it was the first.
    @discardableResult
    func give(_ answer: Answer) -> Bool {
        let first = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        first?.resume(returning: answer)
        return first != nil
    }
}
