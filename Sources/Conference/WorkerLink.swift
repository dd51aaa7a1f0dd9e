import Mailbox
import Wire

/// One worker as control sees it: its mailbox, the places of its tables, and what waits to be told.
///
/// Commands are collected and become visible to the worker together, at `commit`. While the ring is full the
/// changes wait here, in order; whoever makes new ones asks `isCongested` first, so that what waits is
/// bounded by the closing of what is open.
struct WorkerLink {
    /// Changes that may wait before new sessions and new maps are held back.
    static let patience = 64

    let mailbox: WorkerMailbox
    var sessions: PlaceTable<SessionKind>
    var tracks: PlaceTable<TrackKind>
    var slots: PlaceTable<SlotKind>
    var lanes: PlaceTable<LaneKind>
    var crossings: PlaceTable<CrossingKind>

    /// The Session that each place of `slots` belongs to, or last belonged to.
    private var slotOwners: [SessionHandle]
    private var change: [Command] = []
    private var waiting: [[Command]] = []
    /// Sequence numbers of changes: the last sealed and the last that the worker can see.
    private(set) var sealed: UInt64 = 0
    private(set) var delivered: UInt64 = 0

    /// Changes that found the ring full, and datagrams that did (those are dropped; DTLS repeats them).
    private(set) var delays: UInt64 = 0
    private(set) var droppedReplies: UInt64 = 0

    init(worker: UInt8, mailbox: WorkerMailbox, capacity: Capacity) {
        self.mailbox = mailbox
        sessions = PlaceTable(worker: worker, capacity: capacity.sessions)
        tracks = PlaceTable(worker: worker, capacity: capacity.tracks)
        slots = PlaceTable(worker: worker, capacity: capacity.slots)
        // What has no name cannot be used.
        lanes = PlaceTable(worker: worker, capacity: min(capacity.lanes, LaneName.capacity))
        crossings = PlaceTable(worker: worker, capacity: min(capacity.crossings, LaneName.capacity))
        slotOwners = Array(repeating: .none, count: capacity.slots)
    }

    /// The worker does not keep up.
    var isCongested: Bool { waiting.count > Self.patience }

    /// The worker has read every command.
    var isIdle: Bool { waiting.isEmpty && change.isEmpty && mailbox.commands.count == 0 }

    /// Whether a Session's Tracks and Slots have place here.
    func hasRoom(tracks wantedTracks: Int, slots wantedSlots: Int) -> Bool {
        !isCongested && tracks.available >= wantedTracks && slots.available >= wantedSlots
    }

    /// A place for a Lane; nil where there is none, or no name for this worker.
    mutating func takeLane() -> LaneHandle? { Int(lanes.worker) < LaneEnd.mostWorkers ? lanes.take() : nil }

    /// Notes whose Slot it is.
    mutating func open(_ slot: SlotHandle, of session: SessionHandle) { slotOwners[slot.index] = session }

    /// The Session of an open Slot; nil for a handle that names none.
    func session(of slot: SlotHandle) -> SessionHandle? { slots.isOpen(slot) ? slotOwners[slot.index] : nil }

    /// Adds to the change that the next `commit` makes visible.
    mutating func send(_ command: Command) { change.append(command) }

    /// Makes what was sent since the last commit one change, and delivers what the ring takes.
    mutating func commit() {
        // A change larger than the ring could never become visible at once.
        while !change.isEmpty {
            let part = change.prefix(mailbox.commands.capacity)
            waiting.append(Array(part))
            change.removeFirst(part.count)
            sealed += 1
        }
        deliver()
    }

    /// Puts an answer of the slow path on its way; false when the ring is full and it is dropped.
    @discardableResult
    mutating func reply(_ datagram: Datagram) -> Bool {
        guard mailbox.replies.push(datagram) else {
            droppedReplies += 1
            return false
        }
        mailbox.workerBell.ring()
        return true
    }

    private mutating func deliver() {
        var done = 0
        for commands in waiting {
            guard commands.allSatisfy({ mailbox.commands.stage($0) }) else {
                mailbox.commands.abandon()
                delays += 1
                break
            }
            mailbox.commands.commit()
            done += 1
        }
        guard done > 0 else { return }
        mailbox.workerBell.ring()
        waiting.removeFirst(done)
        delivered += UInt64(done)
    }
}
