import Testing

@testable import Fleet

@Suite struct PositionTests {
    @Test func distancesAreThoseOfTheMap() throws {
        let frankfurt = try #require(Position(latitude: 50.11, longitude: 8.68))
        let singapore = try #require(Position(latitude: 1.35, longitude: 103.82))
        #expect(abs(frankfurt.distance(to: singapore) - 10_260) < 30)
        #expect(frankfurt.distance(to: frankfurt) == 0)
        let north = try #require(Position(latitude: 90, longitude: 0))
        let south = try #require(Position(latitude: -90, longitude: 0))
        #expect(abs(north.distance(to: south) - 20_015) < 1)
    }

    @Test func whatIsNotOnEarthIsRefused() {
        for (latitude, longitude) in [(91, 0), (0, 181), (Double.nan, 0), (0, -Double.infinity)] {
            #expect(Position(latitude: latitude, longitude: longitude) == nil)
        }
    }
}
