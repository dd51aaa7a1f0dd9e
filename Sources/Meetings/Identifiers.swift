/// Names a meeting for as long as it exists; opaque to clients.
public struct MeetingID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of an identifier (1 to 64 of `A-Z a-z 0-9 - _`).
    public init?(_ text: String) {
        guard Identifier.isValid(text) else { return nil }
        rawValue = text
    }

    /// A fresh identifier of 100 random bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "m_" + Identifier.random(using: &generator)
    }

    public var description: String { rawValue }
}

/// Names one presence of a person in a meeting; opaque to clients.
public struct ParticipantID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of an identifier (1 to 64 of `A-Z a-z 0-9 - _`).
    public init?(_ text: String) {
        guard Identifier.isValid(text) else { return nil }
        rawValue = text
    }

    /// A fresh identifier of 100 random bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "p_" + Identifier.random(using: &generator)
    }

    public var description: String { rawValue }
}

/// Names a message of a meeting's chat; opaque to clients.
public struct ChatMessageID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of an identifier (1 to 64 of `A-Z a-z 0-9 - _`).
    public init?(_ text: String) {
        guard Identifier.isValid(text) else { return nil }
        rawValue = text
    }

    /// A fresh identifier of 100 random bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "c_" + Identifier.random(using: &generator)
    }

    public var description: String { rawValue }
}

/// Names a poll of a meeting; opaque to clients.
public struct PollID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of an identifier (1 to 64 of `A-Z a-z 0-9 - _`).
    public init?(_ text: String) {
        guard Identifier.isValid(text) else { return nil }
        rawValue = text
    }

    /// A fresh identifier of 100 random bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "q_" + Identifier.random(using: &generator)
    }

    public var description: String { rawValue }
}

/// Names a question to the panel of a webinar; opaque to clients.
public struct QuestionID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of an identifier (1 to 64 of `A-Z a-z 0-9 - _`).
    public init?(_ text: String) {
        guard Identifier.isValid(text) else { return nil }
        rawValue = text
    }

    /// A fresh identifier of 100 random bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "a_" + Identifier.random(using: &generator)
    }

    public var description: String { rawValue }
}

/// The form that identifiers and keys share.
enum Identifier {
    /// Crockford's alphabet in lower case: no i, l, o or u, so it can be read aloud.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
                default: false
                }
            }
    }

    /// `length` characters of 5 random bits each.
    static func random(length: Int = 20, using generator: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<length).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
