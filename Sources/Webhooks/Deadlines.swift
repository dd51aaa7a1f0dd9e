import Meetings

/// Elements by the moments at which they are due, the soonest first: a binary heap.
struct Deadlines<Element: Sendable>: Sendable {
    private var heap: [(at: Timestamp, element: Element)] = []

    mutating func insert(_ element: Element, at moment: Timestamp) {
        heap.append((moment, element))
        var child = heap.count - 1
        while child > 0, case let parent = (child - 1) / 2, heap[child].at < heap[parent].at {
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The soonest, where it is due.
    mutating func pop(at now: Timestamp) -> (at: Timestamp, element: Element)? {
        guard let first = heap.first, first.at <= now, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while case let child = soonestChild(of: parent), child < heap.count, heap[child].at < heap[parent].at {
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }

    /// `heap.count` where there is none.
    private func soonestChild(of parent: Int) -> Int {
        let left = 2 * parent + 1
        guard left + 1 < heap.count else { return min(left, heap.count) }
        return heap[left + 1].at < heap[left].at ? left + 1 : left
    }
}
