/// A PoP as its last report says. What it says is not trusted: `PlacementSnapshot` bounds it.
public struct PlacementCandidate: Sendable {
    public var site: Site
    /// People it serves.
    public var load: Double
    /// People that it can serve well.
    public var capacity: Double
    /// It takes people: its workers run and its network is up.
    public var isReady: Bool
    /// It is being emptied.
    public var isDraining: Bool
    /// When its last report came, in seconds of the reader's clock.
    public var heardAt: Double

    public init(
        site: Site, load: Double, capacity: Double, isReady: Bool = true, isDraining: Bool = false, heardAt: Double = 0
    ) {
        self.site = site
        self.load = load
        self.capacity = capacity
        self.isReady = isReady
        self.isDraining = isDraining
        self.heardAt = heardAt
    }
}
