import Mailbox

@testable import Dataplane

/// What one seed makes of a PoP: how large it is, and what goes wrong in it.
struct PoPCourse: Sendable, CustomStringConvertible {
    let seed: UInt64
    var workers: Int
    var meetings: Int
    /// At once.
    var people: Int
    var steps: Int
    var capacity = Capacity(sessions: 10, tracks: 40, slots: 90)
    /// Commands, and events, that may wait.
    var depth = 4_096
    var link = MemoryPort.Link()
    /// The probability that what a worker has told is lost, at each look.
    var eventLoss = 0.0
    /// Workers lose their core now and then.
    var holdsWorkers = false

    init(seed: UInt64) {
        self.seed = seed
        var random = RandomSource(seed: ~seed)
        workers = Int.random(in: 1...3, using: &random)
        meetings = Int.random(in: 1...2, using: &random)
        people = Int.random(in: 2...8, using: &random)
        steps = Int.random(in: 25...50, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: capacity = Capacity(sessions: 2, tracks: 8, slots: 22)
        case 2: depth = 16
        case 3: link.loss = 0.05
        case 4:
            link.delay = 3_000_000
            link.jitter = 9_000_000
        case 5: eventLoss = 0.1
        case 6, 7: holdsWorkers = true
        default: break
        }
    }

    /// What a worker tells may find its ring full, or is lost.
    var losesEvents: Bool { eventLoss > 0 || depth < 1_000 }

    var description: String {
        "\(workers) workers, \(people) people, \(capacity.sessions) sessions, rings of \(depth), loss \(link.loss), "
            + "jitter \(link.jitter), event loss \(eventLoss), holds \(holdsWorkers)"
    }
}
