/// All PoPs as the last reports say, bounded and prepared: decisions are functions of it and allocate nothing of its size.
///
/// Reports are some seconds old. Whoever decides adds what it has itself decided since, by `seat`.
public struct PlacementSnapshot: Sendable {
    /// What decisions read of a PoP: plain values.
    struct Entry: Sendable {
        var x, y, z: Double
        var hasPosition: Bool
        /// Index into the snapshot's regions; -1 without one.
        var region: Int
        var nameHash: UInt64
        var load: Double
        var capacity: Double
        /// What others' demand for it costs, ms (`PlacementAuction`).
        var demandPrice: Double
        /// Ready, not draining, heard of, and it says what can be.
        var isOpen: Bool
        /// It moves people away: draining, or hot.
        var isMoving: Bool

        var utilisation: Double { load / capacity }
        /// It can take one more.
        var hasRoom: Bool { isOpen && load + 1 <= capacity }
        var price: Double { demandPrice + PlacementPolicy.price(utilisation: utilisation) }
        var headroom: Double { max(0, capacity - load) }
    }

    private(set) var entries: [Entry] = []
    private(set) var sites: [Site] = []
    private var indices: [String: Int] = [:]
    private var regions: [String: Int] = [:]

    /// Of several reports by one name the latest counts. `prices` are those of `PlacementAuction`, by name, where there are any.
    public init(_ candidates: [PlacementCandidate], now: Double = 0, prices: [String: Double] = [:]) {
        for candidate in candidates.sorted(by: Self.precedes) where indices[candidate.site.name] == nil {
            let site = candidate.site
            indices[site.name] = entries.count
            sites.append(site)
            var region = -1
            if !site.region.isEmpty {
                region = regions[site.region] ?? regions.count
                regions[site.region] = region
            }
            entries.append(Self.entry(candidate, region: region, now: now, demandPrice: prices[site.name] ?? 0))
        }
    }

    private static func precedes(_ a: PlacementCandidate, _ b: PlacementCandidate) -> Bool {
        if a.site.name != b.site.name { return a.site.name < b.site.name }
        if a.heardAt != b.heardAt { return a.heardAt > b.heardAt }
        return Site.precedes(a.site, b.site)
    }

    private static func entry(
        _ candidate: PlacementCandidate, region: Int, now: Double, demandPrice: Double
    ) -> Entry {
        let position = candidate.site.position
        // Comparisons with NaN are false. More load than capacity is no lie where a worker was lost: it is full, and moves people.
        let isPossible =
            candidate.capacity >= 1 && candidate.capacity <= PlacementPolicy.mostCapacity && candidate.load >= 0
            && candidate.load <= PlacementPolicy.mostCapacity
        let capacity = isPossible ? candidate.capacity : 1
        let load = isPossible ? candidate.load : 1
        let isHeard = now - candidate.heardAt <= PlacementPolicy.silence
        let isBounded = demandPrice >= 0 && demandPrice <= RoundTrip.otherRegion * 2
        return Entry(
            x: position?.x ?? 0, y: position?.y ?? 0, z: position?.z ?? 0, hasPosition: position != nil, region: region,
            nameHash: StableHash.of(candidate.site.name), load: load, capacity: capacity,
            demandPrice: isBounded ? demandPrice : 0,
            isOpen: isPossible && isHeard && candidate.isReady && !candidate.isDraining,
            isMoving: isPossible && isHeard && (candidate.isDraining || load > PlacementPolicy.reliefStart * capacity))
    }

    public var count: Int { entries.count }

    /// The people that `name` has, as far as known.
    public func load(of name: String) -> Double? { indices[name].map { entries[$0].load } }

    /// `name` is known, ready, not draining, and can take one more.
    public func hasRoom(_ name: String) -> Bool { indices[name].map { entries[$0].hasRoom } ?? false }

    /// `people` went to `name`, or left it where negative, since the report.
    public mutating func seat(_ people: Int, at name: String) {
        guard let index = indices[name] else { return }
        let entry = entries[index]
        entries[index].load = max(0, min(entry.load + Double(people), PlacementPolicy.mostCapacity))
    }

    func index(of name: String) -> Int? { indices[name] }

    /// Round trip between two PoPs, ms.
    func roundTrip(_ a: Int, _ b: Int) -> Double { a == b ? 0 : RoundTrip.estimate(sites[a], sites[b]) }
}
