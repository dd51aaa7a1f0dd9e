@_spi(Benchmark) import Dataplane
import Wire

/// So many meetings of ten for some seconds, and the bare cost of as many seals and opens in turns with them.
struct MeetingsRun {
    let meetings: Int
    /// All windows together.
    private(set) var windows: [MeetingsCost.Window] = []
    private(set) var limit = BarePackets.Cost()

    /// `seconds` of the virtual clock, after some until all is shown.
    init(meetings: Int, seconds: Double, settling: Double, gathers: Bool, port: DPDKPort) throws {
        self.meetings = meetings
        var cost = try MeetingsCost(meetings: meetings, gathers: gathers, port: port)
        let bare = try BarePackets(people: meetings * 10, port: port)
        _ = try cost.run(seconds: settling)
        for _ in 0..<Int(seconds * 2) {
            windows.append(try cost.run(seconds: 0.5))
            try bare.round()
        }
        limit = bare.cost
    }

    private func sum(_ value: (MeetingsCost.Window) -> Int) -> Int { windows.map(value).reduce(0, +) }
    private var seconds: Double { windows.map(\.seconds).reduce(0, +) }
    private var loads: [Double] { windows.flatMap(\.loads).sorted() }
    /// Of a core.
    var load: Double { loads.isEmpty ? 0 : loads[loads.count / 20] }
    var medianLoad: Double { loads.isEmpty ? 0 : loads[loads.count / 2] }
    var drops: Int { windows.map { Int($0.drops) }.reduce(0, +) }
    var faults: Int { sum { $0.tally.faults } }
    var starved: Int { sum(\.starved) }

    /// Packets that waited no longer, us.
    func wait(_ share: Double) -> Int {
        var all = windows[0]
        for window in windows.dropFirst() {
            for (place, count) in window.waits.enumerated() { all.waits[place] += count }
        }
        return all.wait(share)
    }

    /// us of a core that a second of a meeting takes.
    var microseconds: Double { load / Double(meetings) * 1e6 }

    /// The same for its packets alone.
    func microseconds(_ side: BarePackets.Side) -> Double {
        let all = windows.reduce(into: 0.0) { $0 += limit.nanoseconds($1.tally, side) }
        return all / seconds / Double(meetings) / 1_000
    }

    /// Packets a second.
    func rate(_ value: (MeetingsTally) -> Int) -> Int { Int(Double(sum { value($0.tally) }) / seconds) }

    /// What people did not get as they should, or nil.
    var complaint: String? {
        guard drops + faults + starved > 0 else { return nil }
        let reasons = windows.flatMap(\.reasons).joined(separator: ", ")
        let faults = [
            "numbers not in a row \(sum(\.tally.gaps))", "not authentic \(sum(\.tally.unauthentic))",
            "another's \(sum(\.tally.misplaced))", "pictures that do not follow \(sum(\.tally.pictureJumps))",
            "not repeated \(sum(\.tally.unrepaired))", "not noted \(sum(\.tally.overruns))",
            "tiles with less than was sent \(starved) of \(sum(\.tiles))",
        ]
        return ([reasons.isEmpty ? "no drops" : reasons] + faults).joined(separator: ", ")
    }

    var note: String {
        let cached = (windows.last?.cached ?? 0) / meetings
        return [
            "\(meetings) meetings, load \(Report.fixed(load, 2)), median \(Report.fixed(medianLoad, 2))",
            "\(rate(\.sent)) packets/s in (\(rate(\.sentRTCP)) of them RTCP), \(rate(\.got)) out (\(rate(\.repeated)) repeated)",
            "seals and opens of the worker's engine alone \(Report.fixed(microseconds(.engine), 0)) us/s",
            "packets wait \(wait(0.5)) us, 99% \(wait(0.99)), most at once \(windows.map(\.mostWaiting).max() ?? 0)",
            "\(rate(\.keyframes)) keyframes/s, \(windows.last?.paused ?? 0) Slots paused",
            "\(cached) packets kept and \(MeetingsCost.tableBytes >> 10) KiB of tables a meeting",
            "\(sum(\.disturbed)) of \(sum(\.turns)) turns disturbed", complaint ?? "nothing lost",
        ].joined(separator: "; ")
    }

    func row(name: String) -> Row {
        Row(
            name: name, unit: "us/s", value: microseconds, limit: microseconds(.limit), goal: .none, note: note)
    }
}
