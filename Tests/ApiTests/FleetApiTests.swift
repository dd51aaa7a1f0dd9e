import Fleet
import Meetings
import Testing

@testable import Api

/// A node that is PoP b of a fleet in which PoP a has a meeting.
struct FleetApiTests {
    private static let meeting = MeetingID("m_one")!
    private static let number = MeetingNumber("123-456-789")!
    private static let path = "/api/v1/meetings/m_one"

    private static func run(
        publicURL: String? = nil, _ body: @escaping @Sendable (ApiNode, MemoryRegistry.Store) async throws -> Void
    ) async throws {
        let store = MemoryRegistry.Store { .zero }
        func registry(_ name: String) throws -> MemoryRegistry {
            MemoryRegistry(store, as: PoPInstance(name: try #require(PoPName(name)), instance: 1))
        }
        let a = try registry("a")
        _ = try await a.announce(
            PoPRecord(
                name: try #require(PoPName("a")), region: "eu", fleetAddresses: [], mediaAddresses: [],
                signalingURL: "https://a.example.org", versions: 1...1, load: 0.5, participants: 4, capacity: 50))
        _ = try await a.claim(meeting, number: number)
        var configuration = ApiNode.configuration
        configuration.publicURL = publicURL
        configuration.fleet = FleetConfiguration(name: try #require(PoPName("b")), url: "https://b.example.org")
        try await ApiNode.run(configuration, registry: registry("b")) { node in
            while try await a.pops().count < 2 { await Task.yield() }
            node.clock.advanceUnheard(by: FleetMember.introduction)
            try await body(node, store)
        }
    }

    @Test func aJoinIsSentOnWithItsQueryAndByItsNumberToo() async throws {
        try await Self.run { node, _ in
            for reference in ["m_one", "123-456-789"] {
                let answer = try await node.call(
                    "POST", "/api/v1/meetings/\(reference)/join?x=1&via=c", body: ["display_name": "Ana"])
                #expect(answer.status == 307 && answer.code == "elsewhere")
                #expect(
                    answer.headers["location"]
                        == "https://a.example.org/api/v1/meetings/\(reference)/join?x=1&via=c,b")
            }
            let circle = try await node.call("POST", Self.path + "/join?via=b", body: ["display_name": "Ana"])
            #expect(circle.status == 404 && circle.code == "meeting_not_found")
            let many = try await node.call("POST", Self.path + "/join?via=c,d,e,f,g", body: ["display_name": "Ana"])
            #expect(many.status == 422)
            let odd = try await node.call("POST", Self.path + "/join?via=%0d%0ax", body: ["display_name": "Ana"])
            #expect(odd.status == 422 && odd.headers["location"] == nil)
            let stream = try await node.call(
                "POST", "/whip/m_one?name=Cam", token: "x", text: "v=0", headers: ["Content-Type": "application/sdp"])
            #expect(stream.status == 307)
            #expect(stream.headers["location"] == "https://a.example.org/whip/m_one?name=Cam&via=b")
        }
    }

    @Test func whoMayNotReadIsToldNoMoreThanWithoutAFleet() async throws {
        try await Self.run { node, _ in
            for (method, path) in [("GET", Self.path), ("DELETE", Self.path), ("POST", Self.path + "/lock")] {
                let stranger = try await node.call(method, path)
                #expect(stranger.status == 401 && stranger.headers["location"] == nil)
            }
            let resource = try await node.call("DELETE", "/whip/m_one/p_x", token: "x")
            #expect(resource.status == 404)
            let known = try await node.call("GET", Self.path, token: node.token())
            #expect(known.status == 307 && known.headers["location"] == "https://a.example.org\(Self.path)?via=b")
        }
    }

    @Test func aSocketIsSentOnAndMayJoinHereAfterwards() async throws {
        try await Self.run { node, _ in
            let socket = try await SignalingClient.connect(port: node.port)
            let join: Value = ["type": "join", "id": 1, "meeting": "123456789", "display_name": "Ana"]
            let told = try await socket.ask(join)
            #expect(told["type"] == "error" && told["code"] == "elsewhere" && told["status"] == 307)
            #expect(told["signaling_url"] == "wss://a.example.org/api/v1/signal")
            #expect(told["alternates"] == [] && told["via"] == ["b"])
            let circle = try await socket.ask([
                "type": "join", "id": 2, "meeting": "m_one", "display_name": "Ana", "via": ["a"],
            ])
            #expect(circle["code"] == "meeting_not_found")
            let odd = try await socket.ask([
                "type": "join", "id": 3, "meeting": "m_one", "display_name": "Ana", "via": ["a b"],
            ])
            #expect(odd["status"] == 422)
            let made = try await node.meeting()
            let joined = try await socket.ask([
                "type": "join", "id": 4, "meeting": try #require(made["meeting_id"]), "display_name": "Ana",
            ])
            #expect(joined["type"] == "joined")
        }
    }

    @Test func aMeetingThatIsMadeHereIsClaimedBeforeItsMakerIsAnswered() async throws {
        try await Self.run { node, store in
            let made = try await node.meeting()
            let id = try #require(made["meeting_id"]?.string.flatMap(MeetingID.init))
            let asker = MemoryRegistry(store, as: PoPInstance(name: try #require(PoPName("c")), instance: 1))
            let found = try #require(try await asker.find(id))
            #expect(found.home.pop.rawValue == "b")
            #expect(found.number.description == made["meeting_number"]?.string)
        }
    }

    @Test func withoutTheRegistryMeetingsAreMadeAndTheNodeIsReady() async throws {
        try await Self.run { node, store in
            store.setUp(false)
            let made = try await node.meeting()
            _ = try await node.enter(made, "Ana")
            let unsure = try await node.call("POST", Self.path + "/join", body: ["display_name": "Ana"])
            #expect(unsure.status == 503 && unsure.code == "registry_unavailable")
            #expect(unsure.headers["retry-after"] == "3")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("\nneedletail_fleet_registry_up 0\n"))
        }
    }

    @Test func pagesOfTheFleetMayTalkToIt() async throws {
        try await Self.run(publicURL: "https://meet.example.org") { node, _ in
            // Makes it look for PoP a.
            _ = try await node.call("POST", Self.path + "/join", body: ["display_name": "Ana"])
            for origin in ["https://a.example.org", "https://meet.example.org"] {
                let headers = ["Origin": origin]
                let answer = try await node.call(
                    "POST", "/api/v1/meetings/none/join", body: ["display_name": "Ana"], headers: headers)
                #expect(answer.status == 404 && answer.headers["access-control-allow-origin"] == origin)
                let preflight = try await node.call("OPTIONS", Self.path + "/leave", headers: headers)
                #expect(preflight.status == 204 && preflight.headers["access-control-allow-origin"] == origin)
                _ = try await SignalingClient.connect(port: node.port, headers: headers)
            }
            let foreign = try await node.call(
                "POST", Self.path + "/join", body: ["display_name": "Ana"], headers: ["Origin": "https://evil.example"])
            #expect(foreign.status == 403)
            let page = try await node.call("GET", "/")
            let policy = page.headers["content-security-policy"]
            #expect(
                policy?.contains("connect-src 'self' ws: wss: https://a.example.org https://b.example.org;") == true)
        }
    }

    @Test func operatorsSeeTheFleet() async throws {
        try await Self.run { node, _ in
            _ = try await node.call("POST", Self.path + "/join", body: ["display_name": "Ana"])
            let fleet = try await node.call("GET", "/api/v1/fleet", ops: true).json
            #expect(fleet["name"] == "b" && fleet["registry_up"] == true)
            let pops = try #require(fleet["pops"])
            #expect(pops.count == 2 && pops[1]?["name"] == "b")
            let first = try #require(pops[0])
            #expect(first["name"] == "a" && first["load"] == .number(0.5) && first["participants"] == 4)
            #expect(first["state"] == "serving" && first["region"] == "eu" && first["age_s"] != nil)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("\nneedletail_fleet_peers{state=\"serving\"} 1\n"))
            #expect(try await node.call("GET", "/api/v1/fleet").status == 404)
        }
        try await ApiNode.run { node in
            let none = try await node.call("GET", "/api/v1/fleet", ops: true)
            #expect(none.status == 404 && none.code == "no_fleet")
            let page = try await node.call("GET", "/").headers["content-security-policy"]
            #expect(page?.contains("connect-src 'self' ws: wss:;") == true)
        }
    }
}
