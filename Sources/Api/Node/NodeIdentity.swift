/// Which PoP this is and where it stands: what a fleet needs for placement.
public struct NodeIdentity: Sendable, Equatable {
    /// The PoP's number in the fleet.
    public var pop: Int
    /// A word of the operator's, as `eu-central`; nil when none is configured.
    public var region: String?
    /// Degrees, WGS 84; north and east are positive. Nil when not configured.
    public var coordinates: Coordinates?

    /// A place on the map.
    public struct Coordinates: Sendable, Equatable {
        public var latitude: Double
        public var longitude: Double

        public init(latitude: Double, longitude: Double) {
            self.latitude = latitude
            self.longitude = longitude
        }
    }

    public init(pop: Int = 1, region: String? = nil, coordinates: Coordinates? = nil) {
        self.pop = pop
        self.region = region
        self.coordinates = coordinates
    }
}

/// The places of all workers' tables together.
public struct NodeCapacity: Sendable, Equatable {
    public var sessions: Int
    public var tracks: Int
    public var sinks: Int

    public init(sessions: Int, tracks: Int, sinks: Int) {
        self.sessions = sessions
        self.tracks = tracks
        self.sinks = sinks
    }
}
