import Mailbox

/// The places of one table of one worker, as control hands them out.
///
/// Control owns the indices, so it never asks a worker for one. A place is free, open or closing; it is
/// given out again only when the worker has said that the old entry is gone, and then under the next
/// generation.
struct PlaceTable<Kind> {
    private enum State {
        case free, open, closing
    }

    let worker: UInt8
    private var states: [State]
    /// The generation given out last for each place; 0 before the first.
    private var generations: [UInt32]
    private var vacancies: [UInt32]

    /// - Parameter capacity: how many places; at most 2^24, what the owner-encoding ufrag can name.
    init(worker: UInt8, capacity: Int) {
        precondition((0...1 << 24).contains(capacity), "a table has 0 to 2^24 places")
        self.worker = worker
        states = Array(repeating: .free, count: capacity)
        generations = Array(repeating: 0, count: capacity)
        vacancies = (0..<UInt32(capacity)).reversed()
    }

    var available: Int { vacancies.count }
    /// Open and closing ones.
    var used: Int { states.count - vacancies.count }

    /// A free place under a fresh generation; nil when the table is full.
    mutating func take() -> Handle<Kind>? {
        guard let index = vacancies.popLast() else { return nil }
        let place = Int(index)
        states[place] = .open
        generations[place] = Self.next(generations[place])
        return Handle(worker: worker, index: index, generation: generations[place])
    }

    /// Whether the handle names an entry that control has not asked to close.
    func isOpen(_ handle: Handle<Kind>) -> Bool { names(handle) && states[handle.index] == .open }

    /// Control asked the worker to close it. False for a handle that is not open.
    @discardableResult
    mutating func beginClosing(_ handle: Handle<Kind>) -> Bool {
        guard isOpen(handle) else { return false }
        states[handle.index] = .closing
        return true
    }

    /// The worker closed it: the place is free again. False (and nothing done) for a handle whose place
    /// is not closing, or has a new entry, as when both the entry and its Session are reported closed.
    @discardableResult
    mutating func release(_ handle: Handle<Kind>) -> Bool {
        guard names(handle), states[handle.index] == .closing else { return false }
        free(handle)
        return true
    }

    /// Takes an open place back of which the worker was never told.
    mutating func giveBack(_ handle: Handle<Kind>) {
        if isOpen(handle) { free(handle) }
    }

    private mutating func free(_ handle: Handle<Kind>) {
        states[handle.index] = .free
        vacancies.append(UInt32(handle.index))
    }

    private func names(_ handle: Handle<Kind>) -> Bool {
        !handle.isNone && handle.worker == Int(worker) && handle.index < states.count
            && generations[handle.index] == handle.generation
    }

    /// 24 bits; generation 0 is never handed out.
    private static func next(_ generation: UInt32) -> UInt32 {
        let next = (generation + 1) & 0xff_ffff
        return next == 0 ? 1 : next
    }
}
