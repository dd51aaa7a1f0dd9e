/// Round-trip times between places, in ms, estimated from where they are.
public enum RoundTrip {
    /// There and back through a km of fibre, ms: light takes 5 µs a km in it (ITU-T G.114, table A.1).
    static let perKilometre = 0.01
    /// How much longer a route is than the great circle: 1.5 below 1,000 km, 1.25 above 1,200 km (ITU-T G.826).
    static let shortRouteFactor = 1.5
    static let longRouteFactor = 1.25
    /// The route where neither factor applies, km.
    static let middleRoute = 1500.0
    /// Where a position is unknown and regions agree: about a route of 2,000 km.
    static let sameRegion = 20.0
    /// Where a position is unknown and regions differ: about as far as continents are apart.
    static let otherRegion = 150.0

    /// From a to b, without what either's last mile adds.
    public static func estimate(_ a: Site, _ b: Site) -> Double {
        if a.name == b.name { return 0 }
        guard let from = a.position, let to = b.position else {
            return byRegion(a.region == b.region && !a.region.isEmpty)
        }
        return estimate(from, to)
    }

    public static func estimate(_ a: Position, _ b: Position) -> Double { estimate(chord: a.chord(to: b)) }

    static func estimate(chord: Double) -> Double {
        let distance = Position.earthRadius * Position.arc(ofChord: chord)
        return max(longRouteFactor * distance, min(shortRouteFactor * distance, middleRoute)) * perKilometre
    }

    /// No longer chord has an estimate of `ms` or less; found without an arcsine, so shorter ones may have a greater estimate.
    static func longestChord(within ms: Double) -> Double {
        ms / (Position.earthRadius * longRouteFactor * perKilometre)
    }

    static func byRegion(_ isSame: Bool) -> Double { isSame ? sameRegion : otherRegion }
}
