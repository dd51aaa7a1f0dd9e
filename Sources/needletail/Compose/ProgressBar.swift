/// How far long work is, for people who wait: a bar that grows on a terminal, a line for each tenth elsewhere.
struct ProgressBar {
    let isTerminal: Bool
    private static let width = 40
    private var last = -1

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// - Parameters:
    ///   - part: 0 to 1.
    ///   - passed: since the begin, s.
    /// - Returns: what is to be written; nil where nothing has changed.
    mutating func note(_ part: Double, passed: Double) -> String? {
        let percent = Int(min(max(part, 0), 1) * 100)
        let step = isTerminal ? percent : percent / 10
        guard step != last else { return nil }
        last = step
        guard isTerminal else { return "\(percent)%\n" }
        let full = percent * Self.width / 100
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: Self.width - full)
        let rest = part > 0 && part < 1 ? ", \(Self.time(passed / part - passed)) left" : ""
        // To the line's begin, and what was longer is gone (ECMA-48 EL).
        return "\r[\(bar)] \(percent)%\(rest)\u{1B}[K" + (part >= 1 ? "\n" : "")
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 359_999))
        let rest = whole % 60
        return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
