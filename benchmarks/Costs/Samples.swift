import Glibc

/// The rounds of one contender: cycles of the time stamp counter for each packet.
struct Samples {
    private(set) var cyclesPerPacket: [Double] = []
    /// Rounds that do not count because the system took the core away in their midst.
    private(set) var disturbed = 0

    /// Takes one round; on a machine so busy that none stays undisturbed, the last of some tries.
    mutating func take(_ round: () throws -> (cycles: UInt64, packets: Int)) rethrows {
        for attempt in 1...6 {
            let before = Self.interruptions
            let (cycles, packets) = try round()
            let isDisturbed = Self.interruptions != before
            if isDisturbed { disturbed += 1 }
            guard !isDisturbed || attempt == 6 else { continue }
            cyclesPerPacket.append(Double(cycles) / Double(packets))
            return
        }
    }

    var count: Int { cyclesPerPacket.count }
    /// What a round costs that others left alone: a twentieth of all is better. The very best would be luck.
    var quiet: Double { quantile(0.05) }
    var median: Double { quantile(0.5) }

    /// The smallest sample that is not below a share of all.
    private func quantile(_ share: Double) -> Double {
        let sorted = cyclesPerPacket.sorted()
        return sorted.isEmpty ? 0 : sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }

    /// `RUSAGE_THREAD` of getrusage(2), which Glibc's module leaves out.
    private static let thisThread: Int32 = 1

    /// How often this thread had to give way to another.
    private static var interruptions: Int {
        var usage = rusage()
        getrusage(thisThread, &usage)
        return usage.ru_nivcsw
    }
}
