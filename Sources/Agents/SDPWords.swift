/// Words of a line stand between blanks or tabs; doubled ones, and those at its ends, mean nothing.
extension UInt8 {
    var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension BidirectionalCollection where Element == UInt8, SubSequence == Self {
    /// Without blanks at both ends.
    var trimmed: Self {
        var text = self
        while text.first?.isBlank == true { text.removeFirst() }
        while text.last?.isBlank == true { text.removeLast() }
        return text
    }
}

extension String {
    var words: [String] { utf8.split(whereSeparator: \.isBlank).map { String($0) } }

    /// Of what a valid string is made.
    init(_ text: Substring.UTF8View) { self = String(Substring(text)) }
}
