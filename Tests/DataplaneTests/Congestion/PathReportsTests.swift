import Mailbox
import Testing

@testable import Dataplane

/// When control is told what a Session's path carries.
@Suite struct PathReportsTests {
    private static let second: UInt64 = 1_000_000_000

    /// A path that is looked at as often as it may be.
    private struct Path {
        var reports = PathReports()
        var now = 100 * PathReportsTests.second
        /// Levels that were told, and when, tenths of a second since the start.
        var told: [(level: PathReport.Level, tenths: UInt64)] = []

        mutating func run(_ tenths: Int, _ level: PathReport.Level, estimate: UInt32 = 1_000_000, paused: UInt16 = 0) {
            for _ in 0..<tenths {
                if reports.isDue(now: now) {
                    var report = PathReport()
                    report.level = reports.settle(level, now: now)
                    report.estimate = estimate
                    report.paused = paused
                    if reports.takes(report, now: now) {
                        told.append((report.level, now / 100_000_000 - 1_000))
                    }
                }
                now += PathReportsTests.second / 10
            }
        }
    }

    @Test func `it is looked at once in a tick`() {
        var reports = PathReports()
        let looks = (0..<100).count { reports.isDue(now: UInt64($0) * 20_000_000) }
        #expect(looks == 10)
    }

    @Test func `what stays is told after 5 s and then each 30 s`() {
        var path = Path()
        path.run(700, .good)
        #expect(path.told.map(\.tenths) == [50, 350, 650])
        #expect(path.told.allSatisfy { $0.level == .good })
    }

    @Test func `another estimate is told after 5 s, and a little one not`() {
        var path = Path()
        path.run(60, .good)
        path.run(100, .good, estimate: 1_240_000)
        #expect(path.told.count == 1)
        path.run(10, .good, estimate: 1_260_000)
        #expect(path.told.count == 2)
        path.run(100, .good, estimate: 1_260_000, paused: 1)
        #expect(path.told.map(\.tenths) == [50, 160, 210])
    }

    @Test func `a level is told once it has lasted for a second`() {
        var path = Path()
        path.run(60, .good)
        path.run(8, .poor)
        path.run(12, .good)
        #expect(path.told.map(\.level) == [.good])
        path.run(20, .unstable)
        path.run(20, .good)
        #expect(path.told.map(\.level) == [.good, .unstable, .good])
        #expect(path.told.map(\.tenths) == [50, 90, 110])
    }

    @Test func `loss is smoothed`() {
        var reports = PathReports()
        reports.note(loss: 1)
        #expect(reports.loss == 0.125)
        for _ in 0..<50 { reports.note(loss: 1) }
        #expect(reports.loss > 0.99)
        for _ in 0..<50 { reports.note(loss: 0) }
        #expect(reports.loss < 0.01)
    }
}
