/// What happens at a time.
struct Event {
    enum Kind {
        case start, frame, packet, pacer, probe, feedback, report, wants, silence, resume, acknowledgement, timeout
    }

    /// Whole microseconds.
    var time: Int
    /// Events of one time happen in order of their creation.
    var order = 0
    var kind: Kind
    /// The flow that it happens to, and what it is about.
    var flow: Int
    var value = 0

    fileprivate func precedes(_ other: Event) -> Bool {
        time != other.time ? time < other.time : order < other.order
    }
}

/// Events in order of time, then of creation: a binary heap.
struct EventQueue {
    private var heap: [Event] = []
    private var created = 0

    mutating func add(_ time: Int, _ kind: Event.Kind, flow: Int, value: Int = 0) {
        created += 1
        heap.append(Event(time: time, order: created, kind: kind, flow: flow, value: value))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> Event? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            if least == parent { return first }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
