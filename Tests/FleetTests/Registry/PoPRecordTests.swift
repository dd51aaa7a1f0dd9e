import Fleet
import Testing

@Suite struct PoPRecordTests {
    private static let text = """
        {"name":"fra1","region":"eu","latitude":50.1,"longitude":8.7,"fleet_addresses":["192.0.2.1:7443"],\
        "media_addresses":["192.0.2.2:3478"],"signaling_url":"https://fra1.example.com","lowest_version":1,\
        "highest_version":2,"load":0.5,"participants":3,"capacity":100,"draining":true}
        """

    @Test func aRecordIsReadAsItWasWritten() throws {
        let record = try #require(PoPRecord(json: Array(Self.text.utf8)))
        #expect(record.name.rawValue == "fra1")
        #expect(record.versions == 1...2)
        #expect(record.isDraining)
        #expect(record.position?.latitude == 50.1)
        #expect(PoPRecord(json: try #require(record.json)) == record)
    }

    @Test func whatANewerVersionAddsIsPassedOver() throws {
        let newer = Self.text.replacing("{\"name\"", with: "{\"recorder\":{\"free\":[1,2]},\"name\"")
        #expect(PoPRecord(json: Array(newer.utf8)) == PoPRecord(json: Array(Self.text.utf8)))
    }

    @Test(arguments: [
        ("\"fra1\"", "\"\""), ("\"fra1\"", "\"a b\""), ("\"fra1\"", "7"), ("\"name\"", "\"nom\""),
        ("0.5", "-0.1"), ("0.5", "1.01"), ("0.5", "1e999"), ("0.5", "\"0.5\""), ("0.5", "null"),
        ("\"lowest_version\":1", "\"lowest_version\":3"), ("\"lowest_version\":1", "\"lowest_version\":0"),
        ("\"highest_version\":2", "\"highest_version\":65536"), ("50.1", "91"), ("\"latitude\":50.1,", ""),
        ("\"participants\":3", "\"participants\":-1"), ("\"capacity\":100", "\"capacity\":1e30"),
        ("\"eu\"", "\"" + String(repeating: "e", count: 65) + "\""), ("}", ""), ("{", "[{"),
        ("[\"192.0.2.1:7443\"]", "[" + Array(repeating: "\"a:1\"", count: 17).joined(separator: ",") + "]"),
        ("[\"192.0.2.1:7443\"]", "[\"" + String(repeating: "a", count: 257) + "\"]"),
    ])
    func whatCannotBeIsNoRecord(_ part: String, _ replacement: String) {
        let text = Self.text.replacing(part, with: replacement)
        #expect(text != Self.text)
        #expect(PoPRecord(json: Array(text.utf8)) == nil)
    }

    @Test func aRecordHasALimit() {
        let long = Self.text + String(repeating: " ", count: PoPRecord.sizeLimit)
        #expect(PoPRecord(json: Array(long.utf8)) == nil)
    }

    @Test func aNameIsShortAndPlain() {
        #expect(PoPName("fra-1.eu_b")?.rawValue == "fra-1.eu_b")
        for text in ["", "a b", "a:b", "é", String(repeating: "a", count: 65)] { #expect(PoPName(text) == nil) }
    }
}
