import Meetings

/// Participants in an order that does not change when others come and go (that of joining).
struct Roster {
    private var order: [(serial: UInt64, participant: ParticipantID)] = []
    private var serials: [ParticipantID: UInt64] = [:]

    var count: Int { order.count }
    var isEmpty: Bool { order.isEmpty }

    /// All of them in order; lazy, so that a look at the first few costs as much as those.
    var participants: some RandomAccessCollection<ParticipantID> { order.lazy.map(\.participant) }

    func contains(_ participant: ParticipantID) -> Bool { serials[participant] != nil }

    /// The place in the order; nil for one who is not in it.
    func position(of participant: ParticipantID) -> Int? {
        serials[participant].map { place(of: $0) }
    }

    /// Puts the participant at the place that `serial` gives; nothing for one who is in it.
    mutating func insert(_ participant: ParticipantID, serial: UInt64) {
        guard serials[participant] == nil else { return }
        serials[participant] = serial
        order.insert((serial, participant), at: place(of: serial))
    }

    @discardableResult
    mutating func remove(_ participant: ParticipantID) -> Bool {
        guard let serial = serials.removeValue(forKey: participant) else { return false }
        order.remove(at: place(of: serial))
        return true
    }

    /// The first place whose serial is not below `serial`.
    private func place(of serial: UInt64) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle].serial < serial { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
