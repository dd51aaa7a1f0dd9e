import Meetings

/// What the signaling is to be told, in the order in which it happened.
///
/// A reader that falls behind finds so many batches; what happens after them waits here, and of that only what nothing
/// later has overtaken: no more than there are participants, Slots and meetings to tell of.
struct MediaNews {
    /// Batches that wait for the reader.
    static let batches = 64
    /// Updates that wait behind them before the overtaken ones are given up.
    static let patience = 4_096

    /// For one reader.
    let stream: AsyncStream<[MediaUpdate]>
    let reader: AsyncStream<[MediaUpdate]>.Continuation
    private(set) var waiting: [MediaUpdate] = []
    /// The next time that the overtaken are looked for.
    private var limit = Self.patience

    init() { (stream, reader) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.batches)) }

    mutating func add(_ update: MediaUpdate) {
        waiting.append(update)
        guard waiting.count >= limit else { return }
        waiting = Self.current(waiting)
        // So that looking costs little for each update.
        limit = max(Self.patience, waiting.count * 2)
    }

    /// Gives the reader what waits, as one batch; without room it waits on.
    mutating func hand() {
        guard !waiting.isEmpty else { return }
        if case .dropped = reader.yield(waiting) { return }
        waiting.removeAll(keepingCapacity: true)
        limit = Self.patience
    }

    // MARK: what is overtaken

    /// What an update is of: a later one of the same is all that matters.
    private enum Subject: Hashable {
        case slot(ParticipantID, mid: String)
        /// Switched or paused.
        case picture(ParticipantID, mid: String)
        /// Connected or failed, silent or heard again.
        case connection(ParticipantID)
        case sound(ParticipantID)
        case speakers(MeetingRoom)
        case wanted(ParticipantID, mid: String)
        case quality(ParticipantID)
    }

    /// Those that no later one has overtaken, in their order.
    static func current(_ updates: [MediaUpdate]) -> [MediaUpdate] {
        var seen: Set<Subject> = []
        var kept: [MediaUpdate] = []
        for update in updates.reversed() {
            if case .slots(let id, let changed) = update {
                let latest = changed.filter { seen.insert(.slot(id, mid: $0.mid)).inserted }
                if !latest.isEmpty { kept.append(.slots(id, latest)) }
            } else if let subject = subject(of: update), seen.insert(subject).inserted {
                kept.append(update)
            }
        }
        return kept.reversed()
    }

    private static func subject(of update: MediaUpdate) -> Subject? {
        switch update {
        case .slots: nil
        case .slotSwitched(let id, let picture): .picture(id, mid: picture.mid)
        case .slotPaused(let id, let mid): .picture(id, mid: mid)
        case .connected(let id), .failed(let id, _): .connection(id)
        case .silent(let id), .heard(let id): .sound(id)
        case .activeSpeakers(let room, _): .speakers(room)
        case .layersWanted(let id, let wanted): .wanted(id, mid: wanted.mid)
        case .quality(let id, _): .quality(id)
        }
    }
}
