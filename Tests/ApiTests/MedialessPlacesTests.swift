import Meetings
import Testing
import Wire

@testable import Api

/// A socket without media keeps its place while nobody wants it, and never keeps anybody out.
@Suite(.timeLimit(.minutes(3))) struct PlacesWithoutMedia {
    private static var configuration: ApiConfiguration {
        var configuration = ApiNode.configuration
        configuration.trustedProxies = TrustedProxies([.init(address: IPAddress(v4: 0x7f00_0000), length: 8)])
        return configuration
    }

    private static var status: FakeStatus {
        var status = FakeStatus()
        status.capacity = NodeCapacity(sessions: 64, tracks: 128, sinks: 128)
        return status
    }

    private func enter(
        _ node: ApiNode, _ meeting: Value, from address: String, _ more: [String: Value] = [:]
    ) async throws -> (SignalingClient, Value) {
        let socket = try await SignalingClient.connect(port: node.port, headers: ["X-Forwarded-For": address])
        let number = try #require(meeting["meeting_number"])
        let join: [String: Value] = ["type": "join", "id": 1, "meeting": number, "display_name": "Bob"]
        return (socket, try await socket.ask(.object(join.merging(more) { $1 })))
    }

    private func connect(_ joined: Value, _ node: ApiNode) async throws {
        let id = try #require(joined["you"]?["participant_id"]?.string.flatMap { ParticipantID($0) })
        let before = try await medialess(node)
        node.media.tell(.connected(id))
        while try await medialess(node) == before {}
    }

    private func medialess(_ node: ApiNode) async throws -> String? {
        try await node.call("GET", "/metrics", ops: true).body.split(separator: "\n")
            .first { $0.hasPrefix("needletail_participants_medialess ") }.map(String.init)
    }

    @Test func allPlacesOfANodeAreNobodys() async throws {
        try await ApiNode.run(Self.configuration, status: Self.status) { node async throws in
            let crowd = try await node.meeting()
            var sockets: [SignalingClient] = []
            // All that are not kept for hosts.
            for _ in 0..<60 {
                let (socket, joined) = try await enter(node, crowd, from: "192.0.2.1")
                #expect(joined["type"] == "joined")
                sockets.append(socket)
            }
            #expect(try await enter(node, crowd, from: "192.0.2.1").1["code"] == "full")
            #expect(try await medialess(node) == "needletail_participants_medialess 60")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)

            let meeting = try await node.meeting()
            let (_, bob) = try await enter(node, meeting, from: "192.0.2.2")
            #expect(bob["type"] == "joined")
            #expect(try await sockets[0].next("removed") == ["type": "removed", "reason": "no_media"])
            #expect(await sockets[0].closeCode() == 4_002)
            let key = try #require(meeting["host_key"])
            for _ in 0..<5 {
                let (_, host) = try await enter(node, meeting, from: "192.0.2.3", ["host_key": key])
                #expect(host["you"]?["role"] == "host")
            }
            // By REST first, and then by its socket.
            _ = try await node.enter(meeting, "Cleo")
        }
    }

    @Test func peopleFillANodeAndStay() async throws {
        var status = Self.status
        status.capacity = NodeCapacity(sessions: 6, tracks: 12, sinks: 12)
        try await ApiNode.run(Self.configuration, status: status) { node async throws in
            let meeting = try await node.meeting()
            for _ in 0..<6 { try await connect(enter(node, meeting, from: "192.0.2.1").1, node) }
            await node.clock.advance(by: .seconds(60))
            #expect(try await enter(node, meeting, from: "192.0.2.2").1["code"] == "full")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 503)
            #expect(try await node.call("GET", "/api/v1/node", ops: true).json["load"]?["headroom"] == 0)
        }
    }

    @Test func inAFullMeetingWhoWaitsLongestGivesWay() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            let meeting = try await node.meeting(["settings": ["max_participants": 3]])
            let (ada, here) = try await enter(node, meeting, from: "192.0.2.1")
            try await connect(here, node)
            let (bob, _) = try await enter(node, meeting, from: "192.0.2.2")
            node.clock.advanceUnheard(by: .seconds(1))
            let (cleo, _) = try await enter(node, meeting, from: "192.0.2.3")
            node.clock.advanceUnheard(by: .seconds(28))
            // They may be connecting still.
            #expect(try await enter(node, meeting, from: "192.0.2.4").1["code"] == "meeting_full")
            node.clock.advanceUnheard(by: .seconds(1))
            #expect(try await enter(node, meeting, from: "192.0.2.4").1["type"] == "joined")
            #expect(await bob.closeCode() == 4_002)
            #expect(try await ada.next("participant_left")["reason"] == "lost")
            // A join by REST has a place, too.
            node.clock.advanceUnheard(by: .seconds(1))
            _ = try await node.join(meeting, "Dan")
            #expect(await cleo.closeCode() == 4_002)
            #expect(try await ada.ask(["type": "ping", "id": 2])["type"] == "pong")
        }
    }

    @Test func hostsStayAndSessionsEnd() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            let meeting = try await node.meeting(["settings": ["max_participants": 2]])
            let key = try #require(meeting["host_key"])
            let (host, _) = try await enter(node, meeting, from: "192.0.2.1", ["host_key": key])
            let (guest, joined) = try await enter(node, meeting, from: "192.0.2.2", ["offer": "v=0"])
            let id = try #require(joined["you"]?["participant_id"]?.string.flatMap { ParticipantID($0) })
            await node.clock.advance(by: .seconds(30))
            #expect(try await enter(node, meeting, from: "192.0.2.3").1["type"] == "joined")
            #expect(await guest.closeCode() == 4_002)
            while !node.media.calls.contains(.disconnect(id)) { await Task.yield() }
            await node.clock.advance(by: .seconds(30))
            #expect(try await enter(node, meeting, from: "192.0.2.4").1["type"] == "joined")
            #expect(try await host.ask(["type": "ping", "id": 2])["type"] == "pong")
        }
    }

    @Test func noAddressesHaveAllOfAWaitingRoom() async throws {
        var configuration = Self.configuration
        configuration.limits.waitingRoom = 8
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting(["settings": ["waiting_room": true]])
            var sockets: [SignalingClient] = []
            for number in 0..<8 {
                let (socket, answer) = try await enter(node, meeting, from: "192.0.2.\(1 + number % 4)")
                #expect(answer["type"] == "waiting")
                sockets.append(socket)
            }
            // The last of those who have most.
            let (bob, answer) = try await enter(node, meeting, from: "192.0.2.8")
            #expect(answer["type"] == "waiting")
            #expect(try await sockets[7].next("removed") == ["type": "removed", "reason": "no_media"])
            #expect(await sockets[7].closeCode() == 4_002)
            #expect(try await enter(node, meeting, from: "192.0.2.9").1["type"] == "waiting")
            #expect(await sockets[6].closeCode() == 4_002)
            // Nobody has two more than this one.
            #expect(try await enter(node, meeting, from: "192.0.2.9").1["code"] == "waiting_room_full")
            #expect(try await bob.ask(["type": "ping", "id": 2])["type"] == "pong")
        }
    }

    // MARK: who gives way

    private static let meeting = MeetingID("m_00000000000000000000")!
    private static func id(_ number: Int) -> ParticipantID { ParticipantID("p_\(number)")! }

    /// Those of each address in the order of coming, a second apart.
    private static func places(_ addresses: [String?]) -> MedialessPlaces {
        var places = MedialessPlaces()
        for (number, address) in addresses.enumerated() {
            places.add(id(number), in: meeting, of: address, at: Timestamp(milliseconds: Int64(number) * 1_000))
        }
        return places
    }

    @Test func anAddressKeepsAQuarterForThirtySeconds() {
        let places = Self.places(["a", "b", "b", "b", "b", "b", "c", "c", "c", "c", "c", "c"])
        func yielding(_ address: String, of total: Int, _ seconds: Int64) -> ParticipantID? {
            places.yielding(to: address, of: total, at: Timestamp(milliseconds: seconds * 1_000))
        }
        #expect(yielding("d", of: 20, 12) == Self.id(6))
        #expect(yielding("b", of: 20, 12) == Self.id(6))
        #expect(yielding("c", of: 20, 12) == nil)
        #expect(yielding("d", of: 24, 12) == nil)
        // Four of a small meeting.
        #expect(yielding("d", of: 2, 12) == Self.id(6))
        #expect(yielding("c", of: 24, 29) == nil)
        #expect(yielding("c", of: 24, 30) == Self.id(0))
        #expect(yielding("c", of: 24, 31) == Self.id(1))
    }

    @Test func whoGivesUpMuchHasNoTimeToConnect() {
        // As the limits count: of IPv6 a /64. Two of them are of one site.
        let sites = ["192.0.2.1", "192.0.2.2", "2001:db8:1:1::", "2001:db8:1:2::"]
        var places = MedialessPlaces()
        var number = 0
        func fill(at now: Timestamp) {
            for place in 0..<16 {
                number += 1
                places.add(Self.id(number), in: Self.meeting, of: sites[place % 4], at: now)
            }
        }
        func yielding(_ address: String, at now: Timestamp) -> ParticipantID? {
            places.yielding(to: address, of: 16, at: now)
        }
        var now = Timestamp(milliseconds: 0)
        for round in 0..<5 {
            fill(at: now)
            if round < 3 { #expect(yielding("192.0.2.9", at: now) == nil) }
            now = now + .seconds(1)
            for id in number - 15...number { places.giveUp(Self.id(id), at: now) }
        }
        // 20 of each IPv4 address, and 40 of the two together.
        fill(at: now)
        #expect(yielding("192.0.2.9", at: now) == Self.id(number - 13))
        #expect(yielding("2001:db8:2::", at: now) == Self.id(number - 13))
        // Not to one of its own kind.
        #expect(yielding("2001:db8:1:3::", at: now) == nil)
        places.remove(Self.id(number - 13))
        places.remove(Self.id(number - 12))
        #expect(yielding("192.0.2.9", at: now) == Self.id(number - 9))
        // One is forgotten a minute.
        for id in number - 15...number { places.remove(Self.id(id)) }
        now = now + .seconds(60 * 21)
        fill(at: now)
        #expect(yielding("192.0.2.9", at: now) == nil)
    }

    @Test func theTableOfUnusedPlacesIsBounded() {
        var unused = UnusedPlaces(capacity: 2)
        let now = Timestamp(milliseconds: 0)
        for _ in 0..<21 { unused.note("a", at: now) }
        unused.note("b", at: now)
        unused.note("c", at: now)
        #expect(unused.isSpent("a", at: now) && !unused.isSpent("c", at: now))
        for _ in 0..<21 { unused.note("c", at: now) }
        unused.note("d", at: now)
        #expect(!unused.isSpent("a", at: now) && !unused.isSpent("c", at: now))
    }

    @Test func hostsAndOtherMeetingsGiveWayToNobody() {
        var places = Self.places([nil, "a"])
        let late = Timestamp(milliseconds: 100_000)
        let other = MeetingID("m_11111111111111111111")!
        #expect(places.yielding(to: "b", in: other, of: 4, at: late) == nil)
        #expect(places.yielding(to: "b", in: Self.meeting, of: 4, at: late) == Self.id(1))
        places.remove(Self.id(1))
        #expect(places.count == 1)
        #expect(places.yielding(to: "b", of: 4, at: late) == nil)
    }
}
