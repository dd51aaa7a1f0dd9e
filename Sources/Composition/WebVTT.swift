/// Text tracks (W3C WebVTT). Pure.
enum WebVTT {
    /// A message of the chat is shown so long, ms.
    static let shown = 6_000

    /// - Parameter range: of the recording; its begin is 0 of the track.
    static func chat(_ messages: [Timeline.Message], in range: Span) -> String {
        var text = "WEBVTT\n"
        for message in messages where range.contains(message.at) {
            let from = message.at - range.from
            let until = min(from + shown, range.until - range.from)
            guard from < until else { continue }
            text +=
                "\n\(time(from)) --> \(time(until))\n<v \(escaped(message.name, isName: true))>"
                + "\(escaped(message.text))\n"
        }
        return text
    }

    private static func time(_ ms: Int) -> String {
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(count - text.count, 0)) + text
        }
        return "\(digits(ms / 3_600_000, 2)):\(digits(ms / 60_000 % 60, 2)):\(digits(ms / 1_000 % 60, 2))."
            + digits(ms % 1_000, 3)
    }

    /// Whatever people wrote, it is text: no tag, no end of a cue (an empty line), no arrow.
    private static func escaped(_ text: String, isName: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                if isName { result += " " } else if !result.hasSuffix("\n"), !result.isEmpty { result += "\n" }
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
