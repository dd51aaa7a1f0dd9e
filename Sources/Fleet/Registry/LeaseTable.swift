import Meetings

/// Which of a PoP's meetings it is the Home of by the Registry's word, and what is to be asked of the Registry for the others.
public struct LeaseTable: Sendable {
    private enum Holding: Hashable, Sendable {
        case held(Lease)
        /// Another is its Home, with this epoch.
        case lost(epoch: UInt64)
    }

    private var holdings: [MeetingID: Holding] = [:]
    /// Claims that were not answered yet.
    private var claiming: Set<MeetingID> = []
    /// Meetings that got another Home or another epoch than they had.
    public private(set) var epochChanges: UInt64 = 0

    public init() {}

    /// What is to be renewed.
    public var leases: [Lease] {
        holdings.values.compactMap { if case .held(let lease) = $0 { lease } else { nil } }
    }

    /// Meetings without a lease that nobody is claiming.
    ///
    /// - Parameter triesLost: also those that another has, as it may have lost them.
    public func unclaimed(of meetings: [MeetingID: MeetingNumber], triesLost: Bool) -> [MeetingID] {
        meetings.keys.filter { meeting in
            if claiming.contains(meeting) { return false }
            return switch holdings[meeting] {
            case nil: true
            case .held: false
            case .lost: triesLost
            }
        }
    }

    /// A claim begins; false when there is one.
    public mutating func begin(_ meeting: MeetingID) -> Bool { claiming.insert(meeting).inserted }

    /// A claim failed, and is made again.
    public mutating func fail(_ meeting: MeetingID) { claiming.remove(meeting) }

    /// The claim was granted, or the epoch is the first one that there is.
    public mutating func hold(_ lease: Lease) {
        claiming.remove(lease.meeting)
        let before = epoch(of: lease.meeting)
        if let before, before != lease.epoch { epochChanges += 1 }
        holdings[lease.meeting] = .held(lease)
    }

    /// Another is the meeting's Home.
    ///
    /// - Returns: false when that was known.
    @discardableResult
    public mutating func lose(_ meeting: MeetingID, to home: Home) -> Bool {
        claiming.remove(meeting)
        let before = holdings.updateValue(.lost(epoch: home.epoch), forKey: meeting)
        if case .lost? = before { return false }
        if before != nil { epochChanges += 1 }
        return true
    }

    /// Takes those out that are no more.
    ///
    /// - Returns: what is to be released.
    public mutating func takeEnded(where isAlive: (MeetingID) -> Bool) -> [Lease] {
        let ended = holdings.keys.filter { !isAlive($0) && !claiming.contains($0) }
        return ended.compactMap { if case .held(let lease)? = holdings.removeValue(forKey: $0) { lease } else { nil } }
    }

    private func epoch(of meeting: MeetingID) -> UInt64? {
        switch holdings[meeting] {
        case .held(let lease): lease.epoch
        case .lost(let epoch): epoch
        case nil: nil
        }
    }
}
