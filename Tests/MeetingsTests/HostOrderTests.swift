import Testing

@testable import Meetings

@Suite struct HostOrders {
    /// A host, a co-host and a participant.
    private struct People {
        var stage: Stage
        let host: ParticipantID
        let coHost: ParticipantID
        let guest: ParticipantID

        init(_ settings: MeetingSettings = MeetingSettings()) throws {
            stage = try Stage(MeetingPlan(settings: settings))
            host = try stage.enter("Host", hostKey: stage.meeting.hostKey).id
            coHost = try stage.enter("Co-host").id
            guest = try stage.enter("Guest").id
            try stage.directory.setRole(.coHost, of: coHost)
        }

        var meeting: Meeting {
            get throws { try stage.directory.find(stage.meeting.id.rawValue) }
        }

        func refusal(_ order: HostOrder, by actor: ParticipantID) -> MeetingError? {
            do throws(MeetingError) {
                try stage.directory.find(stage.meeting.id.rawValue).check(order, by: actor)
                return nil
            } catch { return error }
        }

        func media(_ id: ParticipantID) -> MediaState? { stage.directory.participant(id)?.media }
    }

    @Test func whoHasTheControlsActsOnOthersAndNobodyOnAHostButAHost() throws {
        let people = try People()
        let (host, coHost, guest) = (people.host, people.coHost, people.guest)
        let acts: [@Sendable (ParticipantID) -> HostOrder] = [
            { .remove($0) }, { .mute($0, .video) }, { .askUnmute($0, by: host) },
        ]
        for act in acts {
            #expect(people.refusal(act(guest), by: host) == nil)
            #expect(people.refusal(act(guest), by: coHost) == nil)
            #expect(people.refusal(act(coHost), by: host) == nil)
            #expect(people.refusal(act(host), by: coHost) == .forbidden)
            #expect(people.refusal(act(host), by: host) == .forbidden)
            #expect(people.refusal(act(host), by: guest) == .forbidden)
            #expect(people.refusal(act(guest), by: guest) == .forbidden)
        }
        #expect(people.refusal(.muteAll, by: coHost) == nil)
        #expect(people.refusal(.muteAll, by: guest) == .forbidden)
    }

    @Test func oneWhoIsNotHereIsNotFound() throws {
        var people = try People()
        let stranger = try #require(ParticipantID("p_stranger"))
        #expect(people.refusal(.remove(stranger), by: people.host) == .participantNotFound)
        #expect(people.refusal(.remove(people.guest), by: stranger) == .participantNotFound)
        // Without a socket nobody sees it.
        let expected = try people.stage.join(JoinRequest(displayName: "Late"))
        #expect(people.refusal(.mute(expected.id, .audio), by: people.host) == .participantNotFound)
    }

    @Test func onlyAHostGivesRolesAndOneHostStays() throws {
        var people = try People()
        let (host, coHost, guest) = (people.host, people.coHost, people.guest)
        #expect(people.refusal(.setRole(guest, .coHost), by: coHost) == .forbidden)
        #expect(people.refusal(.setRole(guest, .host), by: guest) == .forbidden)
        #expect(people.refusal(.setRole(host, .participant), by: host) == .lastHost)
        // Nor for one whom nobody sees yet.
        let late = try people.stage.join(JoinRequest(displayName: "Late", hostKey: people.stage.meeting.hostKey))
        #expect(people.refusal(.setRole(host, .participant), by: host) == .lastHost)
        _ = try people.stage.directory.leave(late.id, at: people.stage.now)
        #expect(people.refusal(.setRole(host, .host), by: host) == nil)
        #expect(people.refusal(.setRole(guest, .host), by: host) == nil)
        try people.stage.directory.setRole(.host, of: guest)
        #expect(people.refusal(.setRole(host, .participant), by: host) == nil)
        #expect(people.refusal(.setRole(host, .participant), by: guest) == nil)
    }

    @Test func theCoHostWhoIsHereLongestIsTheHeir() throws {
        var people = try People()
        #expect(try people.meeting.heir == nil)
        let later = try people.stage.enter("Later").id
        try people.stage.directory.setRole(.coHost, of: later)
        // A host whose socket is lost may come back.
        people.stage.directory.drop(people.host, at: people.stage.now)
        #expect(try people.meeting.heir == nil)
        _ = try people.stage.directory.leave(people.host, at: people.stage.now)
        #expect(try people.meeting.heir == people.coHost)
        try people.stage.directory.setRole(.participant, of: people.coHost)
        #expect(try people.meeting.heir == later)
        try people.stage.directory.setRole(.participant, of: later)
        #expect(try people.meeting.heir == nil)
    }

    @Test func whoIsMutedMayUnmuteItselfUnlessThatIsForbidden() throws {
        var people = try People()
        try people.stage.directory.setMedia(MediaState(audio: true, video: true, screen: true), of: people.guest)
        try people.stage.directory.mute(people.guest, .audio)
        #expect(people.media(people.guest) == MediaState(video: true, screen: true, mutedByHost: true))
        try people.stage.directory.mute(people.guest, .video)
        try people.stage.directory.mute(people.guest, .screen)
        #expect(people.media(people.guest) == MediaState(mutedByHost: true))
        try people.stage.directory.setMedia(MediaState(audio: true, mutedByHost: true), of: people.guest)
        #expect(people.media(people.guest) == MediaState(audio: true))
    }

    @Test func whereUnmutingIsForbiddenOneMayWhoWasAskedUntilItIsMutedAgain() throws {
        var people = try People(MeetingSettings(allowUnmute: false))
        let guest = people.guest
        let open = MediaState(audio: true)
        #expect(throws: MeetingError.unmuteForbidden) { try people.stage.directory.setMedia(open, of: guest) }
        #expect(throws: Never.self) { try people.stage.directory.setMedia(open, of: people.coHost) }
        // Whatever it sends all the same, nobody gets it.
        try people.stage.directory.setMedia(MediaState(video: true), of: guest)
        #expect(people.media(guest) == MediaState(video: true, mutedByHost: true))
        try people.stage.directory.allowUnmute(guest)
        try people.stage.directory.setMedia(open, of: guest)
        // One that is open stays so when something else changes.
        try people.stage.directory.setMedia(MediaState(audio: true, video: true), of: guest)
        try people.stage.directory.setMedia(MediaState(video: true), of: guest)
        try people.stage.directory.setMedia(open, of: guest)
        try people.stage.directory.mute(guest, .audio)
        #expect(throws: MeetingError.unmuteForbidden) { try people.stage.directory.setMedia(open, of: guest) }
    }

    @Test func whoComesInDoesNotUndoWhatAHostDid() throws {
        let open = MediaState(audio: true, video: true)
        let hushed = MediaState(video: true, mutedByHost: true)
        for (settings, asNew, again) in [
            (MeetingSettings(), open, open), (MeetingSettings(muteOnEntry: true), hushed, open),
            (MeetingSettings(allowUnmute: false), hushed, hushed),
        ] {
            let people = try People(settings)
            let meeting = try people.meeting
            #expect(meeting.entering(with: open, people.guest, isNew: true) == asNew)
            #expect(meeting.entering(with: open, people.guest, isNew: false) == again)
            #expect(meeting.entering(with: open, people.host, isNew: true) == open)
        }
        var people = try People()
        try people.stage.directory.mute(people.guest, .audio)
        #expect(try people.meeting.entering(with: open, people.guest, isNew: false) == hushed)
        try people.stage.directory.setMedia(open, of: people.guest)
        #expect(try people.meeting.entering(with: open, people.guest, isNew: false) == open)
    }

    @Test func whereChatIsForbiddenOneWritesToHostsAndTheyToAnybody() throws {
        var people = try People()
        let (host, coHost, guest) = (people.host, people.coHost, people.guest)
        let other = try people.stage.enter("Other").id
        let id = try #require(ChatMessageID("c_1"))
        let now = people.stage.now
        let before = try people.meeting.message(
            ChatDraft("Hi"), from: guest, as: id, at: now, within: Limits())
        people.stage.directory.put(before, in: people.stage.meeting.id)
        var record = people.stage.meeting.record
        record.plan.settings.allowChat = false
        people.stage.directory.setRecord(record)
        let meeting = try people.meeting
        func write(_ sender: ParticipantID, to recipient: ParticipantID?) throws {
            _ = try meeting.message(
                ChatDraft("Hi", to: recipient), from: sender, as: id, at: now, within: Limits())
        }
        for recipient in [nil, other] {
            #expect(throws: MeetingError.chatForbidden) { try write(guest, to: recipient) }
        }
        for (sender, recipient) in [(guest, host), (guest, coHost), (host, nil), (coHost, guest)] {
            #expect(throws: Never.self) { try write(sender, to: recipient) }
        }
        #expect(throws: MeetingError.chatForbidden) {
            try meeting.edited(id, to: "Ha", by: guest, at: now, within: Limits())
        }
        #expect(throws: Never.self) { try meeting.deleted(id, by: guest, at: now) }
    }

    @Test func addressesOfThoseWhoWereRemovedAreKeptAndNotTooMany() throws {
        var people = try People()
        let id = people.stage.meeting.id
        people.stage.directory.bar("", from: id)
        #expect(try !people.meeting.isBarred(""))
        for number in 0...Meeting.mostBarred {
            for _ in 0..<2 { people.stage.directory.bar("192.0.2.\(number)", from: id) }
        }
        #expect(try !people.meeting.isBarred("192.0.2.0"))
        #expect(try people.meeting.isBarred("192.0.2.1") && people.meeting.isBarred("192.0.2.\(Meeting.mostBarred)"))
    }
}
