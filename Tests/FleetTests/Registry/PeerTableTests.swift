import Fleet
import Testing

@Suite struct PeerTableTests {
    private func record(_ name: String, announcement: Int = 1, isDraining: Bool = false) throws -> PoPRecord {
        PoPRecord(
            name: try #require(PoPName(name)), region: "", fleetAddresses: [], mediaAddresses: [],
            signalingURL: "https://\(name).example.org", versions: 1...1, capacity: 10, isDraining: isDraining,
            announcement: announcement)
    }

    private func table() throws -> PeerTable { PeerTable(of: try #require(PoPName("me"))) }

    @Test func theOthersAreFoundOnceAndTheOwnRecordIsNone() throws {
        var table = try table()
        let list = [try record("a"), try record("me"), try record("b")]
        let first = table.take(list, at: .zero)
        #expect(first.found.map(\.rawValue) == ["a", "b"] && first.lost.isEmpty)
        let second = table.take(list, at: .seconds(5))
        #expect(second.found.isEmpty && second.lost.isEmpty)
        #expect(table.peers.map(\.record.name.rawValue) == ["a", "b"])
    }

    @Test func aPoPThatSaysNothingNewGrowsOld() throws {
        var table = try table()
        table.take([try record("a", announcement: 1)], at: .zero)
        table.take([try record("a", announcement: 1)], at: .seconds(5))
        #expect(table.peers.first?.heard == .zero)
        table.take([try record("a", announcement: 2)], at: .seconds(10))
        #expect(table.peers.first?.heard == .seconds(10))
    }

    @Test func aPoPThatIsGoneIsLostForAWhileAndMayComeBack() throws {
        var table = try table()
        table.take([try record("a")], at: .zero)
        let change1 = table.take([], at: .seconds(5))
        #expect(change1.lost.map(\.rawValue) == ["a"])
        let change2 = table.take([], at: .seconds(10))
        #expect(change2.lost.isEmpty)
        #expect(table.peers.first?.isLost == true)
        let change3 = table.take([try record("a")], at: .seconds(15))
        #expect(change3.found.map(\.rawValue) == ["a"])
        #expect(table.peers.first?.isLost == false)
        table.take([], at: .seconds(20))
        table.take([], at: .seconds(15) + PeerTable.memory)
        #expect(table.peers.count == 1)
        table.take([], at: .seconds(16) + PeerTable.memory)
        #expect(table.peers.isEmpty)
    }

    @Test func aPoPThatWasEmptiedLeavesWithoutBeingMissed() throws {
        var table = try table()
        table.take([try record("a", isDraining: true)], at: .zero)
        let change4 = table.take([], at: .seconds(5))
        #expect(change4.lost.isEmpty)
        #expect(table.peers.isEmpty)
    }
}
