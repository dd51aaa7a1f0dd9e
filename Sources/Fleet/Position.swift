import Glibc

/// A place on Earth, as a point on the unit sphere: distances then need no trigonometry but one arcsine.
public struct Position: Hashable, Sendable {
    /// Degrees, -90 to 90.
    public let latitude: Double
    /// Degrees, -180 to 180.
    public let longitude: Double
    let x: Double
    let y: Double
    let z: Double

    /// Nil unless both are finite and in range: what a PoP says of itself is not trusted.
    public init?(latitude: Double, longitude: Double) {
        guard (-90...90).contains(latitude), (-180...180).contains(longitude) else { return nil }
        self.latitude = latitude
        self.longitude = longitude
        let (phi, lambda) = (latitude * .pi / 180, longitude * .pi / 180)
        x = cos(phi) * cos(lambda)
        y = cos(phi) * sin(lambda)
        z = sin(phi)
    }

    /// The straight line through the Earth, in radii: 0 to 2, never longer than the way along the surface.
    func chord(to other: Position) -> Double {
        let (dx, dy, dz) = (x - other.x, y - other.y, z - other.z)
        return (dx * dx + dy * dy + dz * dz).squareRoot()
    }

    /// The angle of a chord: the great-circle distance in radii.
    static func arc(ofChord chord: Double) -> Double { 2 * asin(min(1, chord / 2)) }

    /// Along the surface, in km; 6,371 km is the mean radius.
    public func distance(to other: Position) -> Double { Self.earthRadius * Self.arc(ofChord: chord(to: other)) }

    /// Mean radius of the Earth, km.
    static let earthRadius = 6371.0
}
