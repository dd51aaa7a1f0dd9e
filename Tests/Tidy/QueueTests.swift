import Foundation
import Testing

/// The page Queues names tests that there are, and each of its rows has a limit and what happens beyond it.
@Suite struct QueueTable {
    @Test func eachQueueHasALimitAndTestsThatThereAre() throws {
        let named = try Documentation.found("func `?([^`(]+)`?\\(", in: "Tests")
        let python = try Documentation.found("(?m)^def (\\w+)\\(", in: "Tests/Interop", "py")
        var rows = 0
        for line in try Documentation.page("Queues").lines where line.hasPrefix("| ") && !line.hasPrefix("| queue |") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 6, "\(line)")
            rows += 1
            #expect(!cells[2].isEmpty && !cells[1].isEmpty)
            for test in Documentation.words(in: cells[5]) {
                #expect(named.contains(test) || python.contains(test), "there is no \(test)")
            }
        }
        #expect(rows > 30)
    }
}
