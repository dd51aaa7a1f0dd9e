@_spi(Benchmark) import Dataplane

/// The command line.
struct Options: Sendable {
    var isJSON = false
    var isShort = false
    /// The rows of meetings, which need other buffers, instead of the others.
    var isMeetings = false
    /// How many, where that is asked for.
    var meetings: Int?
    /// The rows to measure, when not all.
    var only: [String] = []
    /// The cores that this process may use.
    private let cores = ForwardingCost.cores
    var core: Int
    /// The file of thresholds, for a short run.
    var thresholds: String?

    /// What a contest takes, ns, and the rounds of each contender that it takes at least.
    var contestTime: UInt64 { isShort ? 1_200_000_000 : 5_000_000_000 }
    var leastRounds: Int { isShort ? 20 : 100 }
    /// Rounds before those that count.
    var warmUps: Int { 5 }

    init(_ arguments: some Sequence<String>) throws {
        core = cores.last ?? 0
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--json": isJSON = true
            case "--short": isShort = true
            case "--core":
                guard let core = arguments.next().flatMap({ Int($0) }) else {
                    throw Failure("--core needs a number")
                }
                self.core = core
            case "--only":
                guard let name = arguments.next() else { throw Failure("--only needs the name of a row") }
                only.append(name)
            case "--meetings":
                isMeetings = true
            case "--count":
                guard let count = arguments.next().flatMap({ Int($0) }), count > 0 else {
                    throw Failure("--count needs a number")
                }
                meetings = count
            case "--thresholds": thresholds = arguments.next()
            default: throw Failure("\(argument) is not one of --short --json --core N --only ROW")
            }
        }
    }

    /// What a measurement on two cores takes, ns.
    var pairTime: UInt64 { isShort ? 2_500_000_000 : 12_000_000_000 }
    /// The core, and another one.
    var pair: [Int] { [core] + cores.filter { $0 != core }.suffix(1) }
    /// Whether there is another one.
    var hasPair: Bool { pair.count == 2 }

    /// Whether one of these rows is asked for.
    func wants(_ rows: [String]) -> Bool { only.isEmpty || rows.contains { only.contains($0) } }

    /// Whether another row is asked for.
    func wantsOthers(than rows: [String]) -> Bool { only.isEmpty || only.contains { !rows.contains($0) } }
}
