/// A PoP's name in its fleet, and where it stands.
public struct Site: Hashable, Sendable {
    public let name: String
    /// As the operator calls it; empty where there is none. Only equality counts.
    public let region: String
    public let position: Position?

    public init(name: String, region: String = "", position: Position? = nil) {
        self.name = name
        self.region = region
        self.position = position
    }

    /// A total order that does not depend on how a list was gathered.
    static func precedes(_ a: Site, _ b: Site) -> Bool {
        func key(_ site: Site) -> (String, String, Double, Double) {
            (site.name, site.region, site.position?.latitude ?? 99, site.position?.longitude ?? 999)
        }
        return key(a) < key(b)
    }
}
