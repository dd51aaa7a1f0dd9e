import Foundation
import Meetings
import Testing

@Suite struct Reactions {
    @Test(arguments: [
        "\u{1f44d}", "\u{2764}\u{fe0f}", "\u{1f44d}\u{1f3fd}", "\u{1f1e9}\u{1f1ea}", "1\u{fe0f}\u{20e3}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
    ])
    func oneEmojiIsTaken(_ text: String) throws {
        let first = try Reaction(text)
        #expect(first.text == text && first.number == 1)
        let second = try Reaction(text, after: first)
        #expect(second != first && second.number == 2)
        #expect(try JSONDecoder().decode(Reaction.self, from: JSONEncoder().encode(second)) == second)
    }

    @Test(arguments: [
        "", "a", "1", "<b>", " ", "\u{1f44d}\u{1f44d}", "\u{1f44d} ", "\u{2764}", "\u{202e}", "e\u{fe0f}",
        // One character, and far too long.
        "\u{1f468}" + String(repeating: "\u{200d}\u{1f469}", count: 5),
    ])
    func anythingElseIsNot(_ text: String) throws {
        #expect(throws: MeetingError.invalid(field: "text", reason: "must be one emoji")) { try Reaction(text) }
        let json = try JSONEncoder().encode(["text": text])
        let said = String(decoding: json, as: UTF8.self).dropLast() + #","number":1}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Reaction.self, from: Data(said.utf8)) }
    }
}
