/// First in, first out, without moving what waits each time that one is taken.
package struct Fifo<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var start = 0

    package init() {}

    package var count: Int { elements.count - start }

    package mutating func append(_ element: Element) { elements.append(element) }

    package mutating func popFirst() -> Element? {
        guard start < elements.count else { return nil }
        let element = elements[start]
        elements[start] = nil
        start += 1
        if start == elements.count || start > 64 && start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return element
    }
}
