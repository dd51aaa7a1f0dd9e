import Testing

@testable import Meetings

@Suite struct Webinars {
    private struct People {
        var stage: Stage
        let host: ParticipantID
        let coHost: ParticipantID
        let panelist: ParticipantID
        let attendee: ParticipantID

        init(_ settings: MeetingSettings = MeetingSettings(webinar: true)) throws {
            stage = try Stage(MeetingPlan(settings: settings))
            host = try stage.enter("Host", hostKey: stage.meeting.hostKey).id
            coHost = try stage.enter("Co-host").id
            panelist = try stage.enter("Panelist").id
            attendee = try stage.enter("Attendee").id
            try stage.directory.setRole(.coHost, of: coHost)
            try stage.directory.setRole(.panelist, of: panelist)
        }

        var meeting: Meeting {
            get throws { try stage.directory.find(stage.meeting.id.rawValue) }
        }

        func refusal(_ order: HostOrder, by actor: ParticipantID) throws -> MeetingError? {
            let meeting = try meeting
            do throws(MeetingError) {
                try meeting.check(order, by: actor)
                return nil
            } catch { return error }
        }

        func media(_ id: ParticipantID) -> MediaState? { stage.directory.participant(id)?.media }
    }

    @Test func newcomersOfAWebinarWatchUnlessTheyAreHostsOrAServiceBringsThem() throws {
        var people = try People()
        #expect(people.stage.directory.participant(people.host)?.role == .host)
        #expect(people.stage.directory.participant(people.attendee)?.role == .attendee)
        let speaker = try people.stage.join(JoinRequest(displayName: "Speaker", isVouched: true, isPanelist: true))
        #expect(speaker.role == .panelist && !speaker.role.controls)
        #expect(try people.meeting.attendeeCount == 1)
        var other = try Stage()
        #expect(throws: MeetingError.webinarRole) {
            try other.join(JoinRequest(displayName: "Speaker", isPanelist: true))
        }
        #expect(try other.enter("Guest").role == .participant)
    }

    @Test func anAttendeeGivesNothingWhateverItSays() throws {
        var people = try People()
        let hand = MediaState(handRaised: true, mutedByHost: true)
        #expect(people.media(people.attendee) == MediaState(mutedByHost: true))
        for state in [MediaState(audio: true), MediaState(video: true), MediaState(screen: true)] {
            #expect(throws: MeetingError.attendeeMedia) {
                try people.stage.directory.setMedia(state, of: people.attendee)
            }
        }
        try people.stage.directory.setMedia(MediaState(handRaised: true), of: people.attendee)
        #expect(people.media(people.attendee) == hand)
        // A client that comes in or back and says that it sends is in, and sends nothing.
        let claim = MediaState(audio: true, video: true, screen: true, handRaised: true)
        for isNew in [true, false] {
            #expect(try people.meeting.entering(with: claim, people.attendee, isNew: isNew) == hand)
        }
        // On the panel it may, and off it again it does not.
        try people.stage.directory.setRole(.panelist, of: people.attendee)
        try people.stage.directory.setMedia(claim, of: people.attendee)
        #expect(people.media(people.attendee) == claim)
        try people.stage.directory.setRole(.attendee, of: people.attendee)
        #expect(people.media(people.attendee) == hand)
    }

    @Test func hostsAndCoHostsBringPeopleOnThePanelAndRolesAreOfTheirKindOfMeeting() throws {
        let people = try People()
        let promote = HostOrder.setRole(people.attendee, .panelist)
        let demote = HostOrder.setRole(people.panelist, .attendee)
        for order in [promote, demote] {
            #expect(try people.refusal(order, by: people.host) == nil)
            #expect(try people.refusal(order, by: people.coHost) == nil)
            #expect(try people.refusal(order, by: people.panelist) == .forbidden)
            #expect(try people.refusal(order, by: people.attendee) == .forbidden)
        }
        // Whom they make hosts, and whom they take it from, is the hosts' own.
        #expect(try people.refusal(.setRole(people.attendee, .coHost), by: people.coHost) == .forbidden)
        #expect(try people.refusal(.setRole(people.coHost, .attendee), by: people.coHost) == .forbidden)
        #expect(try people.refusal(.setRole(people.coHost, .attendee), by: people.host) == nil)
        #expect(try people.refusal(.setRole(people.host, .attendee), by: people.host) == .lastHost)
        #expect(try people.refusal(.setRole(people.panelist, .participant), by: people.host) == .webinarRole)
        let others = try People(MeetingSettings())
        for role in [Role.panelist, .attendee] {
            #expect(try others.refusal(.setRole(others.attendee, role), by: others.host) == .webinarRole)
        }
    }

    @Test func whatIsWrittenGoesToHostsAndPanelAndNotBetweenAttendees() throws {
        var people = try People()
        let other = try people.stage.enter("Other").id
        let meeting = try people.meeting
        func send(to recipient: ParticipantID?, by sender: ParticipantID) -> MeetingError? {
            do throws(MeetingError) {
                let id = ChatMessageID("c_1")!
                _ = try meeting.message(
                    ChatDraft("Hello", to: recipient), from: sender, as: id, at: people.stage.now,
                    within: Limits())
                return nil
            } catch { return error }
        }
        #expect(send(to: nil, by: people.attendee) == nil)
        #expect(send(to: people.panelist, by: people.attendee) == nil)
        #expect(send(to: people.attendee, by: people.panelist) == nil)
        #expect(send(to: other, by: people.attendee) == .participantNotFound)
    }

    @Test func aWebinarStaysOneWhileSomebodyIsInItAndHasNoBreakoutRooms() throws {
        var people = try People()
        var plan = try people.meeting.plan
        plan.settings.webinar = false
        let now = people.stage.now
        #expect(throws: MeetingError.inProgress) {
            try people.stage.directory.validated(plan, for: people.stage.meeting.id, at: now)
        }
        #expect(throws: MeetingError.noBreakouts) {
            try people.meeting.opening(BreakoutDraft(rooms: [.init(name: "One")]), at: now)
        }
        for id in [people.host, people.coHost, people.panelist, people.attendee] {
            _ = try people.stage.directory.leave(id, at: now)
        }
        #expect(try people.stage.directory.validated(plan, for: people.stage.meeting.id, at: now) == plan)
    }

    @Test func aWebinarHasPlaceForMoreThanAMeeting() throws {
        let limits = Limits()
        try MeetingSettings(maxParticipants: limits.webinarParticipants, webinar: true).validate(within: limits)
        for settings in [
            MeetingSettings(maxParticipants: limits.participants + 1),
            MeetingSettings(maxParticipants: limits.webinarParticipants + 1, webinar: true),
        ] {
            #expect(throws: MeetingError.self) { try settings.validate(within: limits) }
        }
        let small = Limits(participants: 3)
        var stage = try Stage(MeetingPlan(settings: MeetingSettings(maxParticipants: 5, webinar: true)), limits: small)
        for number in 1...5 { _ = try stage.enter("Person \(number)") }
        #expect(throws: MeetingError.meetingFull) { try stage.enter("Another") }
    }
}
