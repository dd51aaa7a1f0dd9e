import Fleet

/// What a PoP tells its fleet of itself, beside its place on the map (`NodeIdentity`) and its load.
public struct FleetConfiguration: Sendable, Equatable {
    public var name: PoPName
    /// What clients reach this PoP alone by (`https://pop1.example.org`).
    public var url: String
    /// Where its media is received, as `address:port`.
    public var mediaAddresses: [String]
    /// Nil: no links with the other PoPs.
    public var links: LinkConfiguration?

    public init(name: PoPName, url: String, mediaAddresses: [String] = [], links: LinkConfiguration? = nil) {
        self.name = name
        self.url = ApiConfiguration.trimmed(url)
        self.mediaAddresses = mediaAddresses
        self.links = links
    }

    /// Whether other PoPs can send clients there.
    public static func isUsable(_ url: String) -> Bool { FleetOrigins.origin(url) != nil }

    /// The versions of the protocol between PoPs that this one speaks.
    static let versions = LinkPolicy.versions
}
