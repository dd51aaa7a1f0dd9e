/// What somebody shows the others for a moment: one emoji. Nothing of it is kept but the latest, which tells it from the next.
public struct Reaction: Hashable, Sendable, Codable {
    /// UTF-8.
    private static let mostBytes = 32

    public let text: String
    /// Counts up.
    public let number: UInt32

    /// - Throws: `invalid` for what is not one emoji.
    public init(_ text: String, after last: Reaction? = nil) throws(MeetingError) {
        guard Self.isEmoji(text) else { throw .invalid(field: "text", reason: "must be one emoji") }
        self.text = text
        number = (last?.number ?? 0) &+ 1
    }

    /// - Throws: `DecodingError` also for what no PoP would say.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        text = try fields.decode(String.self, forKey: .text)
        number = try fields.decode(UInt32.self, forKey: .number)
        guard Self.isEmoji(text) else {
            throw DecodingError.dataCorruptedError(forKey: .text, in: fields, debugDescription: "not one emoji")
        }
    }

    /// One character that is shown as a picture: by itself, or by what follows it (Unicode Technical Standard 51).
    private static func isEmoji(_ text: String) -> Bool {
        guard text.utf8.count <= mostBytes, text.count == 1, let first = text.unicodeScalars.first else { return false }
        return first.properties.isEmojiPresentation
            || first.properties.isEmoji && text.unicodeScalars.contains { $0.value == 0xfe0f }
    }
}
