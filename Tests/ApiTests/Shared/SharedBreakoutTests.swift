import Conference
import Fleet
import Meetings
import Testing

@testable import Api

struct SharedBreakoutTests {
    private struct Scene {
        let fleet: SharedFleet
        let meeting: Meeting
        let ada: SharedPerson
        let others: [SharedPerson]

        /// Ada is the host at the Home; Bob, Cyd and Dan are at three PoPs.
        init() async throws {
            fleet = SharedFleet(4)
            await fleet.linkAll()
            let hub: MeetingHub = fleet.nodes[0].hub
            let meeting = try await fleet.run {
                try await hub.create(MeetingPlan(topic: "Workshop"), owner: "user-1", password: nil)
            }
            self.meeting = meeting
            ada = try await fleet.join("Ada", meeting, at: 0, hostKey: meeting.hostKey)
            var others: [SharedPerson] = []
            for (pop, name) in ["Bob", "Cyd", "Dan"].enumerated() {
                others.append(try await fleet.join(name, meeting, at: pop))
            }
            self.others = others
            await fleet.settle()
        }

        func places(_ pop: Int) async -> [String?] {
            let hub: MeetingHub = fleet.nodes[pop].hub
            let breakouts = await hub.catalog.meetings[meeting.id]?.breakouts
            return ([ada] + others).map { breakouts?.places[$0.id].flatMap { breakouts?[$0]?.name } }
        }
    }

    @Test func roomsAreTheSameAtAllPoPs() async throws {
        let scene = try await Scene()
        let (fleet, ada, others) = (scene.fleet, scene.ada, scene.others)
        let home: MeetingHub = fleet.nodes[0].hub
        let draft = BreakoutDraft(
            rooms: [
                .init(name: "One", participants: [others[0].id, others[1].id]),
                .init(name: "Two", participants: [others[2].id]),
            ], mayChoose: true)
        let (host, socket) = (ada.id, ada.socket)
        try await fleet.run { try await home.openBreakouts(draft, by: host, socket, from: "192.0.2.1") }
        await fleet.settle()
        for pop in 0..<3 { #expect(await scene.places(pop) == [nil, "One", "One", "Two"], "\(pop)") }
        for person in [ada] + others { #expect(person.hears(#""breakout_moved""#, others[2].id.rawValue)) }

        // Dan goes to the others' room from where he is; what is refused is refused there.
        let (branch, dan, danSocket): (MeetingHub, ParticipantID, NotingSocket) = (
            fleet.nodes[2].hub, others[2].id, others[2].socket
        )
        let room = try #require(await home.catalog.meetings[scene.meeting.id]?.breakouts.rooms.first?.id)
        try await fleet.run { try await branch.choose(room, by: dan, danSocket) }
        await fleet.settle()
        for pop in 0..<3 { #expect(await scene.places(pop) == [nil, "One", "One", "One"], "\(pop)") }
        await #expect(throws: MeetingError.breakoutOpen) {
            try await fleet.run { try await home.openBreakouts(draft, by: host, socket, from: "192.0.2.1") }
        }

        // A room's chat reaches the room at all PoPs, and nobody else.
        for person in [ada] + others { _ = person.hears("") }
        try await fleet.run { try await branch.say(ChatDraft("Only us", isForRoom: true), by: dan, danSocket) }
        await fleet.settle()
        #expect(others.allSatisfy { $0.hears("Only us") })
        #expect(!ada.hears("Only us"))

        // Time closes them at the Home, and so everywhere.
        try await fleet.run { try await home.closeBreakouts(after: 3, by: host, socket, from: "192.0.2.1") }
        await fleet.pass(.seconds(5))
        await fleet.settle()
        for pop in 0..<3 { #expect(await scene.places(pop) == [nil, nil, nil, nil], "\(pop)") }
    }

    @Test func whoComesBackAtAnotherPoPIsStillInItsRoom() async throws {
        let scene = try await Scene()
        let (fleet, others) = (scene.fleet, scene.others)
        let home: MeetingHub = fleet.nodes[0].hub
        let (host, socket) = (scene.ada.id, scene.ada.socket)
        let draft = BreakoutDraft(rooms: [.init(name: "One", participants: [others[1].id])])
        try await fleet.run { try await home.openBreakouts(draft, by: host, socket, from: "192.0.2.1") }
        await fleet.settle()
        let token = try #require(others[1].resumeToken())
        await fleet.restart(1)
        await fleet.pass(.seconds(2))
        // Nobody else of the meeting is there.
        try await fleet.comeBack(others[1], at: 3, token)
        await fleet.pass(.seconds(2))
        for pop in [0, 2, 3] { #expect(await scene.places(pop) == [nil, nil, "One", nil], "\(pop)") }
        #expect(others[1].hears(#""joined""#, #""room_id":"r"#))
        try await fleet.run { try await home.closeBreakouts(after: 0, by: host, socket, from: "192.0.2.1") }
        await fleet.settle()
        #expect(others[1].hears(#""breakout_moved""#, others[1].id.rawValue))
        #expect(fleet.nodes[3].media.arrangement(of: scene.meeting.id)?.places.isEmpty == true)
    }
}
