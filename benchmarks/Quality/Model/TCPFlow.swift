import Foundation

/// A sender with CUBIC (RFC 9438): C 0.4, beta 0.7, TCP-friendly; segments of 1200 bytes, each acknowledged.
/// Every transmission has a number of its own; a segment is lost when three later ones are acknowledged.
struct TCPFlow {
    static let segment = 1_200
    private static let scale = 0.4
    private static let beta = 0.7
    static let timeout = 1_000_000

    /// Segments to carry; nil without an end.
    let total: Int?
    private(set) var acknowledged = 0
    private var window = 10.0
    private var threshold = Double.infinity
    private var beforeLoss = 0.0
    private var epoch: Int?
    private var windowAtEpoch = 0.0
    private var smoothedRoundTrip = 0.1

    private var nextNumber = 0
    /// Transmissions that are neither acknowledged nor lost, in order.
    private var outstanding: [(number: Int, time: Int, later: Int)] = []
    private var recoveryPoint = 0
    private(set) var lastProgress = 0

    init(total: Int?) { self.total = total }

    var isDone: Bool { total.map { acknowledged >= $0 } ?? false }
    var hasOutstanding: Bool { !outstanding.isEmpty }

    /// The number of a segment that may leave now.
    mutating func send(at time: Int) -> Int? {
        guard !isDone, Double(outstanding.count) < window else { return nil }
        if let total, acknowledged + outstanding.count >= total { return nil }
        if outstanding.isEmpty { lastProgress = time }
        outstanding.append((nextNumber, time, 0))
        nextNumber += 1
        return nextNumber - 1
    }

    mutating func acknowledge(_ number: Int, at time: Int) {
        guard let index = outstanding.firstIndex(where: { $0.number == number }) else { return }
        let roundTrip = Double(time - outstanding[index].time) / 1e6
        smoothedRoundTrip += (roundTrip - smoothedRoundTrip) / 8
        outstanding.remove(at: index)
        acknowledged += 1
        lastProgress = time
        grow(at: time)
        for earlier in 0..<index { outstanding[earlier].later += 1 }
        let lost = outstanding.filter { $0.later >= 3 }
        guard !lost.isEmpty else { return }
        outstanding.removeAll { $0.later >= 3 }
        if lost.contains(where: { $0.number >= recoveryPoint }) { reduce() }
    }

    private mutating func reduce() {
        recoveryPoint = nextNumber
        beforeLoss = window < beforeLoss ? window * (1 + Self.beta) / 2 : window
        window = max(2, window * Self.beta)
        threshold = window
        epoch = nil
    }

    private mutating func grow(at time: Int) {
        if window < threshold {
            window += 1
            return
        }
        if epoch == nil {
            epoch = time
            windowAtEpoch = window
            if beforeLoss < window { beforeLoss = window }
        }
        let elapsed = Double(time - (epoch ?? time)) / 1e6
        let period = cbrt((beforeLoss - windowAtEpoch) / Self.scale)
        let cubic = Self.scale * pow(elapsed + smoothedRoundTrip - period, 3) + beforeLoss
        let friendly = windowAtEpoch + 3 * (1 - Self.beta) / (1 + Self.beta) * elapsed / smoothedRoundTrip
        let goal = min(max(cubic, friendly), 1.5 * window)
        if goal > window { window += (goal - window) / window } else { window += 0.01 / window }
    }

    /// Nothing was acknowledged for a second.
    mutating func expire(at time: Int) {
        outstanding.removeAll()
        threshold = max(2, window * Self.beta)
        beforeLoss = window
        window = 1
        epoch = nil
        recoveryPoint = nextNumber
        lastProgress = time
    }
}
