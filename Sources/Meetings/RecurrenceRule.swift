/// A recurrence rule as calendars write it (RFC 5545 section 3.3.10): only whether it is one.
enum RecurrenceRule {
    private static let frequencies: Set = ["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
    private static let days: Set = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    /// The lowest and highest number in a list; below zero counts from the end.
    private static let ranges: [String: ClosedRange<Int>] = [
        "BYSECOND": 0...60, "BYMINUTE": 0...59, "BYHOUR": 0...23, "BYMONTHDAY": -31...31, "BYYEARDAY": -366...366,
        "BYWEEKNO": -53...53, "BYMONTH": 1...12, "BYSETPOS": -366...366,
    ]

    /// What is wrong with the rule; nil if nothing is.
    static func fault(of rule: String) -> String? {
        var parts: [String: String] = [:]
        for part in rule.split(separator: ";", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, parts.updateValue(sides[1], forKey: sides[0]) == nil else {
                return "parts as NAME=VALUE, each once"
            }
        }
        guard rule.hasPrefix("FREQ="), let frequency = parts["FREQ"], frequencies.contains(frequency) else {
            return "an RRULE that begins with FREQ= and DAILY, WEEKLY, MONTHLY, YEARLY or the like"
        }
        for (name, value) in parts.sorted(by: { $0.key < $1.key }) where !isValid(name, value, frequency) {
            return known(name) ? "\(name) has a value that it cannot have" : "RFC 5545 has no such part of an RRULE"
        }
        if parts["COUNT"] != nil, parts["UNTIL"] != nil { return "COUNT or UNTIL, not both" }
        if parts["BYSETPOS"] != nil, !parts.keys.contains(where: { $0.hasPrefix("BY") && $0 != "BYSETPOS" }) {
            return "BYSETPOS only beside another BY"
        }
        return nil
    }

    private static func known(_ name: String) -> Bool {
        ranges[name] != nil || ["FREQ", "UNTIL", "COUNT", "INTERVAL", "BYDAY", "WKST"].contains(name)
    }

    private static func isValid(_ name: String, _ value: String, _ frequency: String) -> Bool {
        switch name {
        case "FREQ": true
        case "UNTIL": isDate(value)
        case "COUNT", "INTERVAL": number(value).map { (1...9_999).contains($0) } ?? false
        case "WKST": days.contains(value)
        case "BYDAY": list(value).allSatisfy { isDay($0, frequency) }
        case "BYWEEKNO" where frequency != "YEARLY": false
        case "BYYEARDAY" where ["DAILY", "WEEKLY", "MONTHLY"].contains(frequency): false
        case "BYMONTHDAY" where frequency == "WEEKLY": false
        default:
            ranges[name].map { range in
                list(value).allSatisfy { text in
                    number(text, isSigned: range.lowerBound < 0).map {
                        range.contains($0) && ($0 != 0 || range.lowerBound == 0)
                    } ?? false
                }
            } ?? false
        }
    }

    private static func list(_ value: String) -> [Substring] {
        value.split(separator: ",", omittingEmptySubsequences: false)
    }

    /// `MO`, or `2MO` and `-1FR` of a month or year.
    private static func isDay(_ text: Substring, _ frequency: String) -> Bool {
        guard days.contains(String(text.suffix(2))) else { return false }
        let ordinal = text.dropLast(2)
        guard !ordinal.isEmpty else { return true }
        guard ["MONTHLY", "YEARLY"].contains(frequency), let number = number(ordinal, isSigned: true) else {
            return false
        }
        return number != 0 && (-53...53).contains(number)
    }

    private static func number(_ text: some StringProtocol, isSigned: Bool = false) -> Int? {
        let digits = isSigned && (text.hasPrefix("+") || text.hasPrefix("-")) ? text.dropFirst() : text[...]
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    /// `20270131`, `20270131T090000` or that with a Z.
    private static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0].utf8.count == 8, let date = digits(parts[0]),
            CalendarDate.exists(year: date / 10_000, month: date / 100 % 100, day: date % 100)
        else { return false }
        guard parts.count == 2 else { return true }
        let clock = parts[1].hasSuffix("Z") ? parts[1].dropLast() : parts[1]
        guard clock.utf8.count == 6, let time = digits(clock) else { return false }
        return time / 10_000 < 24 && time / 100 % 100 < 60 && time % 100 <= 60
    }

    private static func digits(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}

/// The Gregorian calendar.
public enum CalendarDate {
    public static func exists(year: Int, month: Int, day: Int) -> Bool {
        (1...12).contains(month) && day >= 1 && day <= days(of: month, year: year)
    }

    private static func days(of month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
