import Testing

@testable import Meetings

/// A generator with a fixed course.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

/// A directory with one meeting, and the arguments that every call takes.
struct Stage {
    static let start = Timestamp(milliseconds: 1_800_000_000_000)

    var directory: MeetingCatalog
    var dice = Dice(state: 7)
    var now = Stage.start
    var meeting: Meeting

    static func derive(_ password: String, _ salt: [UInt8]) -> [UInt8] { salt + Array(password.utf8) }

    init(_ plan: MeetingPlan = MeetingPlan(), password: String? = nil, limits: Limits = Limits()) throws {
        directory = MeetingCatalog(limits: limits)
        let hash = password.map { PasswordHash($0, salt: [1, 2], by: Self.derive) }
        meeting = try directory.create(plan, owner: "owner", password: hash, at: now, using: &dice)
    }

    mutating func join(_ request: JoinRequest) throws(MeetingError) -> Participant {
        try directory.join(meeting.id, request, at: now, using: &dice, by: Self.derive)
    }

    mutating func enter(_ name: String, hostKey: String? = nil) throws(MeetingError) -> Participant {
        try directory.arrive(join(JoinRequest(displayName: name, hostKey: hostKey)).id)
    }

    var roster: [String] { directory.meetings[meeting.id]?.roster.map(\.displayName) ?? [] }
}

@Suite struct JoiningAMeeting {
    @Test func somebodyWhoJoinedIsSeenOnlyWithASocket() throws {
        var stage = try Stage()
        let ada = try stage.join(JoinRequest(displayName: "  Ada "))
        #expect(ada.displayName == "Ada")
        #expect(stage.roster == [])
        _ = try stage.directory.arrive(ada.id)
        #expect(stage.roster == ["Ada"])
    }

    @Test func twoPeopleMayHaveTheSameName() throws {
        var stage = try Stage()
        let first = try stage.enter("Ada")
        let second = try stage.enter("Ada")
        #expect(first.id != second.id)
        #expect(stage.roster == ["Ada", "Ada"])
    }

    @Test(arguments: ["", "   ", "a\u{7}b", "a\u{202e}b", String(repeating: "x", count: 65)])
    func anImpossibleNameIsRefused(_ name: String) throws {
        var stage = try Stage()
        #expect { try stage.join(JoinRequest(displayName: name)) } throws: {
            ($0 as? MeetingError)?.code == "invalid_field"
        }
    }

    @Test func aNameOfMarksWithoutEndIsRefused() throws {
        var stage = try Stage()
        let name = "a" + String(repeating: "\u{301}", count: 10_000)
        #expect { try stage.join(JoinRequest(displayName: name)) } throws: {
            ($0 as? MeetingError)?.code == "invalid_field"
        }
    }

    @Test func thePasswordIsAskedFor() throws {
        var stage = try Stage(password: "sesame")
        #expect(throws: MeetingError.passwordRequired) { try stage.join(JoinRequest(displayName: "Ada")) }
        #expect(throws: MeetingError.wrongPassword) {
            try stage.join(JoinRequest(displayName: "Ada", password: "open"))
        }
        let ada = try stage.join(JoinRequest(displayName: "Ada", password: "sesame"))
        #expect(ada.role == .participant)
    }

    @Test func theHostKeyMakesAHostAndNeedsNoPassword() throws {
        var stage = try Stage(password: "sesame")
        let host = try stage.join(JoinRequest(displayName: "Ada", hostKey: stage.meeting.hostKey))
        #expect(host.role == .host)
        #expect(throws: MeetingError.wrongHostKey) {
            try stage.join(JoinRequest(displayName: "Eve", hostKey: "guess"))
        }
    }

    @Test func aLockedMeetingLetsOnlyTheHostIn() throws {
        var stage = try Stage()
        try stage.directory.setLocked(true, stage.meeting.id)
        #expect(throws: MeetingError.locked) { try stage.join(JoinRequest(displayName: "Ada")) }
        #expect(try stage.join(JoinRequest(displayName: "Host", isHost: true)).role == .host)
        try stage.directory.setLocked(false, stage.meeting.id)
        #expect(throws: Never.self) { try stage.join(JoinRequest(displayName: "Ada")) }
    }

    @Test func aMeetingMayWaitForItsHost() throws {
        var stage = try Stage(MeetingPlan(settings: MeetingSettings(joinBeforeHost: false)))
        #expect(throws: MeetingError.hostNotHere) { try stage.join(JoinRequest(displayName: "Ada")) }
        _ = try stage.enter("Host", hostKey: stage.meeting.hostKey)
        #expect(throws: Never.self) { try stage.join(JoinRequest(displayName: "Ada")) }
    }

    @Test func aFullMeetingRefusesTheNewcomerAndKeepsTheOthers() throws {
        var stage = try Stage(MeetingPlan(settings: MeetingSettings(maxParticipants: 2)))
        let ada = try stage.enter("Ada")
        _ = try stage.enter("Bob")
        #expect(throws: MeetingError.meetingFull) { try stage.join(JoinRequest(displayName: "Cyd")) }
        #expect(stage.roster == ["Ada", "Bob"])
        _ = try stage.directory.leave(ada.id, at: stage.now)
        #expect(throws: Never.self) { try stage.join(JoinRequest(displayName: "Cyd")) }
    }

    @Test func anEndedMeetingIsUnknown() throws {
        var stage = try Stage()
        let ada = try stage.enter("Ada")
        _ = try stage.directory.end(stage.meeting.id)
        #expect(throws: MeetingError.meetingNotFound) { try stage.join(JoinRequest(displayName: "Bob")) }
        #expect(throws: MeetingError.meetingNotFound) { try stage.directory.find(stage.meeting.number.description) }
        #expect(throws: MeetingError.participantNotFound) { try stage.directory.arrive(ada.id) }
        #expect(stage.directory.participantCount == 0)
    }
}

@Suite struct BeingInAMeeting {
    @Test func onlyOneScreenIsSharedAtATime() throws {
        var stage = try Stage()
        let ada = try stage.enter("Ada")
        let bob = try stage.enter("Bob")
        try stage.directory.setMedia(MediaState(screen: true), of: ada.id)
        #expect(throws: MeetingError.screenShareTaken) {
            try stage.directory.setMedia(MediaState(screen: true), of: bob.id)
        }
        try stage.directory.setMedia(MediaState(audio: true, screen: true), of: ada.id)
        try stage.directory.setMedia(MediaState(), of: ada.id)
        try stage.directory.setMedia(MediaState(screen: true), of: bob.id)
        #expect(stage.directory.meetings[stage.meeting.id]?.participants[bob.id]?.media.screen == true)
    }

    @Test func theHostMayKeepTheScreenForHosts() throws {
        var stage = try Stage(MeetingPlan(settings: MeetingSettings(allowScreenShare: false)))
        let host = try stage.enter("Host", hostKey: stage.meeting.hostKey)
        let ada = try stage.enter("Ada")
        #expect(throws: MeetingError.screenShareForbidden) {
            try stage.directory.setMedia(MediaState(screen: true), of: ada.id)
        }
        #expect(throws: Never.self) { try stage.directory.setMedia(MediaState(screen: true), of: host.id) }
    }

    @Test func aLostSocketKeepsThePlaceForTheGraceOnly() throws {
        var stage = try Stage()
        let ada = try stage.enter("Ada")
        stage.directory.drop(ada.id, at: stage.now)
        #expect(stage.roster == ["Ada"])
        #expect(stage.directory.overdue(at: stage.now + .milliseconds(14_999)) == [])
        #expect(stage.directory.overdue(at: stage.now + .seconds(15)) == [ada.id])
        _ = try stage.directory.arrive(ada.id)
        #expect(stage.directory.overdue(at: stage.now + .seconds(3_600)) == [])
    }

    @Test func aPlaceThatNobodyTakesIsGivenUp() throws {
        var stage = try Stage()
        let ada = try stage.join(JoinRequest(displayName: "Ada"))
        #expect(stage.directory.overdue(at: stage.now + .milliseconds(14_999)) == [])
        #expect(stage.directory.overdue(at: stage.now + .seconds(15)) == [ada.id])
    }

    @Test func anInstantMeetingIsForgottenAnHourAfterTheLastOneLeft() throws {
        var stage = try Stage()
        let ada = try stage.enter("Ada")
        #expect(stage.directory.forgotten(at: stage.now + .seconds(7_200)) == [])
        _ = try stage.directory.leave(ada.id, at: stage.now + .seconds(7_200))
        #expect(stage.directory.forgotten(at: stage.now + .seconds(10_799)) == [])
        #expect(stage.directory.forgotten(at: stage.now + .seconds(10_800)) == [stage.meeting.id])
    }
}

@Suite struct PlanningAMeeting {
    static let now = Stage.start

    static let impossible: [(MeetingPlan, String)] = [
        (MeetingPlan(topic: " "), "invalid_field"),
        (MeetingPlan(topic: String(repeating: "t", count: 201)), "invalid_field"),
        (MeetingPlan(type: .scheduled), "invalid_field"),
        (MeetingPlan(type: .scheduled, startTime: now + .seconds(-61)), "start_in_past"),
        (MeetingPlan(type: .recurring, startTime: now), "invalid_field"),
        (MeetingPlan(type: .recurring, startTime: now, recurrence: "DAILY"), "invalid_field"),
        (MeetingPlan(recurrence: "FREQ=DAILY"), "invalid_field"),
        (MeetingPlan(duration: 0), "invalid_field"),
        (MeetingPlan(timezone: "Mars;drop"), "invalid_field"),
        (MeetingPlan(settings: MeetingSettings(maxParticipants: 1)), "invalid_field"),
        (MeetingPlan(settings: MeetingSettings(maxParticipants: 1_001)), "invalid_field"),
        (MeetingPlan(settings: MeetingSettings(recording: .cloud)), "setting_unavailable"),
        (MeetingPlan(settings: MeetingSettings(e2ee: true)), "setting_unavailable"),
    ]

    @Test(arguments: impossible.indices)
    func theImpossibleIsRefused(_ index: Int) {
        let (plan, code) = Self.impossible[index]
        #expect { try plan.validated(at: Self.now, within: Limits()) } throws: { ($0 as? MeetingError)?.code == code }
    }

    @Test func aWaitingRoomIsRefusedWhereNobodyMayWait() throws {
        let plan = MeetingPlan(settings: MeetingSettings(waitingRoom: true))
        #expect(try plan.validated(at: Self.now, within: Limits()).settings.waitingRoom)
        var limits = Limits()
        limits.waitingRoom = 0
        #expect(throws: MeetingError.settingUnavailable("waiting_room")) {
            try plan.validated(at: Self.now, within: limits)
        }
    }

    @Test func aRecurringMeetingIsTaken() throws {
        let plan = MeetingPlan(
            topic: " Weekly ", type: .recurring, startTime: Self.now, duration: 30, timezone: "Europe/Berlin",
            recurrence: "FREQ=WEEKLY;BYDAY=MO")
        #expect(try plan.validated(at: Self.now, within: Limits()).topic == "Weekly")
    }

    @Test func aMeetingThatHasBegunMayChangeItsTopic() throws {
        let stage = try Stage(MeetingPlan(type: .scheduled, startTime: Stage.start + .seconds(60)))
        var plan = stage.meeting.plan
        plan.topic = "Later"
        let later = Stage.start + .seconds(600)
        #expect(try stage.directory.validated(plan, for: stage.meeting.id, at: later).topic == "Later")
        plan.startTime = Stage.start + .seconds(120)
        #expect(throws: MeetingError.startInPast) {
            try stage.directory.validated(plan, for: stage.meeting.id, at: later)
        }
    }

    @Test func aMeetingFromBeforeARestartHasItsHourAnew() throws {
        let stage = try Stage(password: "sesame")
        var catalog = MeetingCatalog()
        let later = Stage.start + .seconds(7_200)
        let restored = try catalog.restore(stage.meeting.record, isLocked: true, at: later)
        #expect(restored.record == stage.meeting.record && restored.isLocked)
        #expect(try catalog.find("\(stage.meeting.number)").id == stage.meeting.id)
        #expect(catalog.forgotten(at: later + .seconds(3_599)) == [])
        #expect(catalog.forgotten(at: later + .seconds(3_600)) == [stage.meeting.id])
    }

    @Test func theNodeHoldsSoManyMeetings() throws {
        var stage = try Stage(limits: Limits(meetings: 1))
        #expect(throws: MeetingError.nodeFull) {
            try stage.directory.create(MeetingPlan(), owner: "owner", at: stage.now, using: &stage.dice)
        }
    }

    @Test func everyPageOfAListIsSeenOnce() throws {
        var stage = try Stage()
        for step in 1...4 {
            _ = try stage.directory.create(
                MeetingPlan(), owner: step == 2 ? "other" : "owner", at: stage.now + .seconds(step), using: &stage.dice)
        }
        var seen: [MeetingID] = []
        var cursor: MeetingID?
        repeat {
            let (page, next) = stage.directory.list(owner: "owner", after: cursor, limit: 3)
            seen += page.map(\.id)
            cursor = next
        } while cursor != nil
        #expect(seen.count == 4)
        #expect(Set(seen).count == 4)
        #expect(stage.directory.list(owner: nil, after: nil, limit: 10).page.count == 5)
    }
}

@Suite struct NamesOfThings {
    @Test(arguments: ["123-456-789", "123456789", " 123 456 789"])
    func aMeetingNumberIsReadAsPeopleWriteIt(_ text: String) {
        #expect(MeetingNumber(text)?.description == "123-456-789")
    }

    @Test(arguments: ["", "12345678", "1234567890", "012345678", "12345678a", "m_123456789", "１２３４５６７８９"])
    func whatIsNoNumberIsNone(_ text: String) { #expect(MeetingNumber(text) == nil) }

    @Test(arguments: ["", "a/b", "..", "a b", "ä", String(repeating: "a", count: 65)])
    func whatIsNoIdentifierIsNone(_ text: String) { #expect(ParticipantID(text) == nil) }

    @Test func statusesAreThoseOfTheApi() {
        let expected: [(MeetingError, Int)] = [
            (.startInPast, 400), (.wrongPassword, 403), (.passwordRequired, 403), (.wrongHostKey, 403),
            (.forbidden, 403), (.meetingNotFound, 404), (.participantNotFound, 404), (.hostNotHere, 409),
            (.screenShareTaken, 409), (.invalid(field: "a", reason: "b"), 422), (.locked, 423), (.meetingFull, 503),
            (.nodeFull, 503),
        ]
        for (error, status) in expected { #expect(error.status == status) }
        #expect(Set(expected.map(\.0.code)).count == expected.count)
    }

    @Test func secretsAreComparedWhole() {
        #expect(Secret.equal([1, 2], [1, 2]))
        #expect(!Secret.equal([1, 2], [1, 3]))
        #expect(!Secret.equal([1, 2], [1, 2, 3]))
    }
}
