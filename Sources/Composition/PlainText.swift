extension String {
    /// With what a terminal would obey, or what turns a line's order, as it is written in Swift (`\u{1b}`).
    var escaped: String {
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isInvisible {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// As a name is shown: a line of its first scalars, without control characters.
    func name(most: Int = 256) -> String {
        var result = ""
        for scalar in unicodeScalars.prefix(most) {
            result.unicodeScalars.append(scalar.isControl ? " " : scalar)
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Control characters, and what ends lines or paragraphs.
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    fileprivate var isInvisible: Bool { isControl || properties.generalCategory == .format }
}
