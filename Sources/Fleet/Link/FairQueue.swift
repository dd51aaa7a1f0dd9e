/// Who has something to send, in turn: each is in it once, and goes behind the others after its turn.
struct FairQueue<Element: Hashable & Sendable>: Sendable {
    private var order: [Element] = []
    private var start = 0
    private var members: Set<Element> = []

    var count: Int { members.count }

    mutating func insert(_ element: Element) {
        if members.insert(element).inserted { order.append(element) }
    }

    mutating func popFirst() -> Element? {
        guard start < order.count else { return nil }
        let element = order[start]
        start += 1
        members.remove(element)
        if start > 64, start * 2 > order.count {
            order.removeFirst(start)
            start = 0
        }
        return element
    }
}
