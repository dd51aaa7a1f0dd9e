import Agents
import Testing

@testable import Api

/// What clients are told of the relay.
struct TURNApiTests {
    private static let secrets = TURNSecrets(["a shared secret of the tests"])

    private static var configuration: ApiConfiguration {
        var configuration = ApiNode.configuration
        var turn = TURNConfiguration(secrets: secrets)
        turn.urls = ["turn:192.0.2.2:3478?transport=udp", "turns:turn.test:443?transport=tcp"]
        turn.credentialLifetime = 600
        configuration.turn = turn
        return configuration
    }

    @Test func joinAndSocketGiveEachParticipantItsOwnCredential() async throws {
        try await ApiNode.run(Self.configuration) { node in
            let meeting = try await node.meeting()
            let place = try await node.join(meeting, "Ada")
            let server = try #require(place["ice_servers"]?[0])
            #expect(server["urls"] == ["turn:192.0.2.2:3478?transport=udp", "turns:turn.test:443?transport=tcp"])
            let id = try #require(place["participant_id"]?.string)
            let expected = try #require(
                Self.secrets.issue(user: id, lifetime: 600, now: Int64(node.clock.now.seconds)))
            #expect(server["username"]?.string == expected.username)
            #expect(server["credential"]?.string == expected.credential)

            let grace = try await node.enter(meeting, "Grace")
            let own = try #require(grace.joined["ice_servers"]?[0])
            #expect(own["username"]?.string?.hasSuffix(":\(grace.id)") == true)
            #expect(own["credential"] != server["credential"])
        }
    }

    @Test func withoutARelayNothingIsTold() async throws {
        try await ApiNode.run { node in
            let place = try await node.join(node.meeting(), "Ada")
            #expect(place["ice_servers"] == [])
        }
    }
}
