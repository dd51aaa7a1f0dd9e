/// How many of something each holder has, none more than a limit.
package struct Tally<Holder: Hashable> {
    package let limit: Int
    private var counts: [Holder: Int] = [:]

    package init(limit: Int) { self.limit = limit }

    package func hasRoom(for holder: Holder) -> Bool { counts[holder, default: 0] < limit }

    package mutating func add(_ holder: Holder) { counts[holder, default: 0] += 1 }

    /// Forgets holders that have nothing, so that the table does not grow with those who left.
    package mutating func remove(_ holder: Holder) {
        guard let count = counts[holder] else { return }
        counts[holder] = count > 1 ? count - 1 : nil
    }
}
