/// The other PoPs of the fleet, as the lists of the Registry tell of them. Times are since any one instant.
public struct PeerTable: Sendable {
    public struct Peer: Hashable, Sendable {
        /// What it said last.
        public var record: PoPRecord
        /// When it was first seen to say so: it is at most as old as the time since, and the time between two lists.
        public var heard: Duration
        /// It is in the Registry's list no more, and did not say good-bye.
        public var isLost: Bool
    }

    /// How long a lost PoP is remembered.
    public static let memory: Duration = .seconds(600)

    private let own: PoPName
    private var known: [PoPName: Peer] = [:]

    public init(of own: PoPName) { self.own = own }

    public subscript(name: PoPName) -> Peer? { known[name] }

    /// By name.
    public var peers: [Peer] { known.values.sorted { $0.record.name < $1.record.name } }

    /// Takes the whole list.
    ///
    /// - Returns: who is new or back, and who is lost now.
    @discardableResult
    public mutating func take(_ list: [PoPRecord], at now: Duration) -> (found: [PoPName], lost: [PoPName]) {
        var (found, lost): ([PoPName], [PoPName]) = ([], [])
        let listed = Set(list.map(\.name))
        for record in list where record.name != own {
            if let before = known[record.name], !before.isLost {
                if before.record != record { known[record.name] = Peer(record: record, heard: now, isLost: false) }
                continue
            }
            found.append(record.name)
            known[record.name] = Peer(record: record, heard: now, isLost: false)
        }
        for (name, peer) in known where !listed.contains(name) {
            // Who was emptied left on purpose; a list that is cut off says nothing of the rest.
            let isTooMany = max(list.count, known.count) >= RegistryLimits.pops
            if peer.record.isDraining || now - peer.heard > Self.memory || isTooMany {
                known[name] = nil
            } else if !peer.isLost {
                known[name]?.isLost = true
                lost.append(name)
            }
        }
        return (found.sorted(), lost.sorted())
    }
}
