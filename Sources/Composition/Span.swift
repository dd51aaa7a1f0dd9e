/// A stretch of time, ms since the recording's begin; `until` is the first moment behind it.
public struct Span: Sendable, Equatable {
    public var from: Int
    public var until: Int

    public init(_ from: Int, _ until: Int) {
        self.from = from
        self.until = until
    }

    func contains(_ moment: Int) -> Bool { from <= moment && moment < until }
}

extension [Span] {
    /// In order, with none that is empty or touches another.
    func united() -> [Span] {
        var united: [Span] = []
        for span in filter({ $0.from < $0.until }).sorted(by: { $0.from < $1.from }) {
            if let last = united.last, span.from <= last.until {
                united[united.count - 1].until = Swift.max(last.until, span.until)
            } else {
                united.append(span)
            }
        }
        return united
    }

    /// What is in both; both united.
    func common(with others: [Span]) -> [Span] {
        var found: [Span] = []
        var (first, second) = (0, 0)
        while first < count, second < others.count {
            let span = Span(
                Swift.max(self[first].from, others[second].from), Swift.min(self[first].until, others[second].until))
            if span.from < span.until { found.append(span) }
            if self[first].until < others[second].until { first += 1 } else { second += 1 }
        }
        return found
    }

    /// What is in these and not in those; both united.
    func without(_ others: [Span]) -> [Span] {
        var rest: [Span] = []
        var index = 0
        for span in self {
            var from = span.from
            while index < others.count, others[index].until <= from { index += 1 }
            var next = index
            while next < others.count, others[next].from < span.until {
                if from < others[next].from { rest.append(Span(from, others[next].from)) }
                from = Swift.max(from, others[next].until)
                next += 1
            }
            if from < span.until { rest.append(Span(from, span.until)) }
        }
        return rest
    }

    /// Whether one of them, which are united, has the moment.
    func contain(_ moment: Int) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].until <= moment { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].contains(moment)
    }
}
