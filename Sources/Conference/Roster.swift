/// Participants, or sources of theirs, in an order that does not change when others come and go (that of joining).
struct Roster<Member: Hashable> {
    private var order: [(serial: UInt64, member: Member)] = []
    private var serials: [Member: UInt64] = [:]

    var count: Int { order.count }
    var isEmpty: Bool { order.isEmpty }

    /// All of them in order; lazy, so that a look at the first few costs as much as those.
    var members: some RandomAccessCollection<Member> { order.lazy.map(\.member) }

    func contains(_ member: Member) -> Bool { serials[member] != nil }

    /// The place in the order; nil for one who is not in it.
    func position(of member: Member) -> Int? {
        guard let serial = serials[member] else { return nil }
        // Several may have one serial, as others count them too.
        return order[place(of: serial)...].firstIndex { $0.member == member }
    }

    /// Puts the member at the place that `serial` gives; nothing for one who is in it.
    mutating func insert(_ member: Member, serial: UInt64) {
        guard serials[member] == nil else { return }
        serials[member] = serial
        order.insert((serial, member), at: place(of: serial))
    }

    @discardableResult
    mutating func remove(_ member: Member) -> Bool {
        guard let position = position(of: member) else { return false }
        serials[member] = nil
        order.remove(at: position)
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
