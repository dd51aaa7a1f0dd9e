import Meetings

/// The question who is, or becomes, a meeting's Home.
public struct HomeSearch: Hashable, Sendable {
    public let meeting: MeetingID
    public let number: MeetingNumber
    public let asker: PoPName
    /// The highest epoch that the asker has heard of; 0 where it has heard of none.
    public let seen: UInt64
    /// The asker is Home, but not with the highest epoch.
    public let isHome: Bool
    /// The Home that the asker no longer reaches.
    public let lost: PoPName?
    /// Those that said that they are not its Home.
    public let excluded: Set<PoPName>
    /// The PoPs that the asker has links to.
    public let linked: Set<PoPName>
    /// Nobody is in the meeting at the asker, which has a copy for the case that the Home is dead. That it does not reach the
    /// Home says little: those who are in the meeting do.
    public let isStandby: Bool

    public enum Answer: Hashable, Sendable {
        case lead(epoch: UInt64)
        /// The epoch is nil where the PoP is only the one to ask.
        case follow(PoPName, epoch: UInt64?)
        /// Nobody knows now.
        case unknown
    }

    /// The Registry's word; where it cannot be reached, and the asker has a copy, that of the hash.
    public func answer(from registry: some Registry) async -> Answer {
        // It would begin a meeting that it has never seen.
        if isStandby, seen == 0 { return .unknown }
        do throws(RegistryError) {
            return try await ask(registry)
        } catch {
            // A meeting that may be elsewhere is not begun a second time.
            return seen == 0 ? .unknown : byHash()
        }
    }

    /// Where the fleet is a fixed list, or the Registry is gone: of those that are alive the first by rendezvous hashing, the
    /// asker where that is itself.
    public func byHash() -> Answer {
        if isHome { return .lead(epoch: seen + 1) }
        if isStandby { return .unknown }
        var candidates = linked.subtracting(excluded)
        if let lost { candidates.remove(lost) }
        candidates.insert(asker)
        guard let home = RendezvousHash.home(of: meeting, among: candidates) else { return .unknown }
        return home == asker ? .lead(epoch: seen + 1) : .follow(home, epoch: nil)
    }

    private func ask(_ registry: some Registry) async throws(RegistryError) -> Answer {
        guard let found = try await registry.find(meeting)?.home else {
            return understand(
                seen == 0
                    ? try await registry.claim(meeting, number: number)
                    : try await registry.takeOver(meeting, number: number, seen: seen, homeIsDead: false))
        }
        if found.pop != asker, found.pop != lost, found.epoch >= seen { return .follow(found.pop, epoch: found.epoch) }
        // Whoever has no copy would begin the meeting anew: a Branch that has one takes over, or the lease runs out. The asker's
        // own lease is that of an earlier start, which is lost.
        if seen == 0, found.pop == asker || found.pop == lost { return .unknown }
        // The asker's own lease would be granted with its epoch, which may be that of a copy of another's history.
        let known = max(seen, found.epoch) + (found.pop == asker ? 1 : 0)
        return understand(
            try await registry.takeOver(
                meeting, number: number, seen: known, homeIsDead: found.pop == lost && !isStandby))
    }

    private func understand(_ outcome: ClaimOutcome) -> Answer {
        switch outcome {
        case .granted(let epoch): .lead(epoch: epoch)
        case .held(let home): home.pop == lost ? .unknown : .follow(home.pop, epoch: home.epoch)
        case .numberTaken: .unknown
        }
    }
}
