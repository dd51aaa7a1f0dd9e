import Testing

@testable import Meetings

@Suite struct RecurrenceRules {
    @Test(arguments: [
        "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=8", "FREQ=DAILY;UNTIL=20280229",
        "FREQ=DAILY;UNTIL=20271224T000000Z", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=1,100,-1",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40",
    ])
    func whatTheRFCHasIsOne(_ rule: String) { #expect(RecurrenceRule.fault(of: rule) == nil) }

    @Test(arguments: [
        "", "FREQ=", "FREQ=SOMETIMES", "freq=DAILY", "COUNT=3;FREQ=DAILY", "FREQ=DAILY;", "FREQ=DAILY;COUNT",
        "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=x", "FREQ=DAILY;COUNT=1;COUNT=2",
        "FREQ=DAILY;COUNT=3;UNTIL=20280101", "FREQ=DAILY;UNTIL=20270229", "FREQ=DAILY;UNTIL=20271301",
        "FREQ=DAILY;UNTIL=20270101T250000Z", "FREQ=DAILY;UNTIL=soon", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=54MO", "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYHOUR=-1",
        "FREQ=MONTHLY;BYWEEKNO=1", "FREQ=DAILY;BYYEARDAY=1", "FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;WKST=1",
        "FREQ=MONTHLY;BYSETPOS=1", "FREQ=DAILY;X-OWN=1", "FREQ=DAILY;BYDAY=MO=TU", "FREQ=DAILY\nCOUNT=2",
    ])
    func whatItHasNotIsNone(_ rule: String) { #expect(RecurrenceRule.fault(of: rule) != nil) }

    @Test(arguments: [
        (2028, 2, 29, true), (2027, 2, 29, false), (2100, 2, 29, false), (2000, 2, 29, true),
        (2027, 4, 31, false), (2027, 12, 31, true), (2027, 0, 1, false), (2027, 13, 1, false), (2027, 1, 0, false),
    ])
    func aDateExistsOrDoesNot(_ year: Int, _ month: Int, _ day: Int, _ exists: Bool) {
        #expect(CalendarDate.exists(year: year, month: month, day: day) == exists)
    }

    /// What is on the others' screens must be seen.
    @Test(arguments: [
        "\u{200b}", "\u{2060}\u{feff}", "\u{3164}", "\u{ffa0}", "\u{115f}\u{1160}", "\u{2800}", "\u{ad}", "\u{e0041}",
        "\u{301}", "\u{fe0f}", "a\u{2028}b", "a\u{202e}b", "\u{200d}\u{200d}", "\u{180e}", "\u{e000}", "\u{378}",
    ])
    func aNameThatNobodySeesIsNone(_ name: String) {
        #expect(throws: MeetingError.self) { try Limits.line(name, field: "display_name", maximum: 64) }
    }

    @Test(arguments: ["Ada", "李", "👩🏽‍🚀", "-", "é", "علی", "ก็", "नमस्ते", "🇩🇪", "a\u{200d}b", "1"])
    func namesOfTheWorldAreNames(_ name: String) throws {
        #expect(try Limits.line(name, field: "display_name", maximum: 64) == name)
    }
}
