/// Words that are looked for in a chat: each must begin a word of the message, in upper or lower case.
public struct ChatSearch: Hashable, Sendable {
    /// Characters of what is asked, and words.
    static let limit = 100
    static let mostWords = 8

    /// In lower case; letters and digits alone.
    public let words: [String]

    /// - Throws: `invalid` where there is no word, or too much.
    public init(_ query: String) throws(MeetingError) {
        guard query.utf8.count <= Self.limit * 4, query.count <= Self.limit else {
            throw .invalid(field: "query", reason: "at most \(Self.limit) characters")
        }
        words = Self.words(of: query).map(String.init)
        guard (1...Self.mostWords).contains(words.count) else {
            throw .invalid(field: "query", reason: "1 to \(Self.mostWords) words")
        }
    }

    public func matches(_ text: String) -> Bool {
        let found = Self.words(of: text)
        return words.allSatisfy { word in found.contains { $0.unicodeScalars.starts(with: word.unicodeScalars) } }
    }

    /// As SQLite's unicode61 tells words apart (SQLite, FTS5 section 4.3.1), with the underscore as one of a word.
    private static func words(of text: String) -> [Substring] {
        text.lowercased().unicodeScalars.split { !isOfAWord($0) }.map { Substring($0) }
    }

    private static func isOfAWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark, .privateUse:
            true
        default: scalar == "_"
        }
    }
}
