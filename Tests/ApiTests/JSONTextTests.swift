import Foundation
import Testing

@testable import Api

struct JSONTextTests {
    @Test(arguments: [
        "", "v=0\r\na=b\r\n", #"quotes " and \ slashes / "#, "\u{0}\u{1}\u{1f}\t\u{7f}", "Zoë 日本 \u{1f600}",
    ])
    func aStringIsReadBackAsItWas(_ text: String) throws {
        var json = JSONText()
        json.add(list: [text, "end"]) { json, text in json.add(string: text) }
        #expect(try JSONDecoder().decode([String].self, from: Data(json.bytes)) == [text, "end"])
    }

    @Test func anObjectIsReopened() throws {
        var json = JSONText(Array(#"{"a":1}"#.utf8))
        json.reopen()
        json.add(#","b":"#)
        json.add(list: [Int]()) { _, _ in }
        json.add("}")
        #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"a":1,"b":[]}"#)
    }
}
