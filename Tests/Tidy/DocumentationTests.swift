import Foundation
import Testing

/// The catalog's pages and the API's descriptions say what the code says.
@Suite struct Documentation {
    static let catalog = "Sources/needletail/Documentation.docc"

    static func page(_ name: String) throws -> Repository.File {
        try #require(try Repository.files(in: catalog, "md").first { $0.path == "\(catalog)/\(name).md" }, "\(name)")
    }

    /// What stands between backticks, a cell of a table being one text.
    static func words(in text: some StringProtocol) -> [String] {
        String(text).matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }

    /// The first group of each match in files of `folder`.
    static func found(_ pattern: String, in folder: String, _ extensions: String = "swift") throws -> Set<String> {
        let regex = try Regex(pattern)
        var found: Set<String> = []
        for file in try Repository.files(in: folder, extensions) {
            for match in file.text.matches(of: regex) {
                if let group = match.output[1].substring { found.insert(String(group)) }
            }
        }
        return found
    }

    /// The JSON of a description.
    static func description(_ name: String) throws -> [String: Any] {
        let url = Repository.root.appendingPathComponent("Sources/Api/Schemas/\(name)")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    }

    @Test func eachNounOfTheGlossaryIsAType() throws {
        var nouns = 0
        for line in try Self.page("Glossary").lines where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, let type = Self.words(in: cells[2]).first, let path = Self.words(in: cells[3]).first
            else { continue }
            nouns += 1
            let source = try? String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)
            let declaration = try Regex("\\b(?:struct|enum|class|actor|protocol|typealias) \(type)\\b")
            #expect(source?.contains(declaration) == true, "\(cells[0]): \(path) declares no \(type)")
        }
        #expect(nouns > 30)
    }

    @Test func whatThePagesNameIsThere() throws {
        let pattern = /(?:^|[^\w.\/-])((?:Sources|Tests|CShims|appliance|benchmarks)\/[\w.+\/-]*\w)/
        let readme = try Repository.everything().filter { $0.path == "README.md" }
        for file in try Repository.files(in: Self.catalog, "md") + readme {
            for match in file.text.matches(of: pattern) {
                let path = String(match.output.1)
                let isThere = FileManager.default.fileExists(atPath: Repository.root.appendingPathComponent(path).path)
                #expect(isThere, "\(file.path) names \(path)")
            }
        }
    }

    @Test func theMetricsPageHasEveryMetricAndNoOther() throws {
        let text = try Self.page("Metrics").text
        let exported = try Self.found("\"(needletail_[a-z0-9_]+)\"", in: "Sources/Api/Metrics")
        let described = Set(text.matches(of: /(?m)^\| `(needletail_[a-z0-9_]+)/).map { String($0.output.1) })
        #expect(exported.count > 40)
        #expect(exported == described)
        let alerts = try Self.found("alert: (\\w+)", in: "appliance/prometheus", "yaml")
        let named = Set(text.matches(of: /`(Needletail\w+)`/).map { String($0.output.1) })
        #expect(alerts == named)
    }

    @Test func theMetricsPageHasEveryReasonToDrop() throws {
        let counters = try #require(
            try Repository.files(in: "Sources/Mailbox", "swift").first { $0.path.hasSuffix("/Counters.swift") })
        let cases = counters.lines.drop { !$0.contains("enum DropReason") }.prefix { !$0.contains("var stage") }
            .filter { $0.hasPrefix("    case ") }
            .flatMap { $0.dropFirst("    case ".count).split(separator: ",") }
        let reasons = Set(cases.map { Self.snakeCase($0.trimmingCharacters(in: .whitespaces)) })
        #expect(reasons.count > 30)
        let table = try Self.page("Metrics").lines.drop { !$0.hasPrefix("## Drops") }
        var described: Set<String> = []
        for row in table where row.hasPrefix("| `") {
            described.formUnion(Self.words(in: row.split(separator: "|")[1]))
        }
        #expect(described == reasons)
    }

    private static func snakeCase(_ name: String) -> String {
        name.replacing(/([a-z0-9])([A-Z])/) { "\($0.output.1)_\($0.output.2)" }.lowercased()
    }

    @Test func theFleetPageHasEveryConstantOfPlacement() throws {
        let page = try Self.page("Fleet").lines.drop { $0 != "## Placement" }.prefix { $0 != "## Topology" }
            .joined(separator: "\n")
        var constants: [String: Double] = [:]
        for file in try Repository.files(in: "Sources/Fleet", "swift")
        where file.path.hasSuffix("/PlacementPolicy.swift") || file.path.hasSuffix("/RoundTrip.swift") {
            for match in file.text.matches(of: /static let (\w+) = ([0-9._]+)/) {
                constants[String(match.output.1)] = Double(match.output.2.replacing("_", with: ""))
            }
        }
        let described = page.matches(of: /(?m)^\| `(\w+)` \| ([0-9.]+)/)
            .map { (String($0.output.1), Double($0.output.2)) }
        #expect(constants.count > 15)
        #expect(constants == Dictionary(described.map { ($0.0, $0.1 ?? .nan) }) { first, _ in first })
    }

    @Test func theCongestionPageHasEveryConstant() throws {
        let cells = try Self.page("Congestion").lines.filter { $0.hasPrefix("| `") }.compactMap { line in
            line.split(separator: "|").first
        }
        let described = Set(cells.flatMap { Self.words(in: $0) })
        let file = try #require(
            try Repository.files(in: "Sources/Dataplane/Congestion", "swift").first {
                $0.path.hasSuffix("/CongestionConstants.swift")
            })
        let constants = Set(file.text.matches(of: /static let (\w+)/).map { String($0.output.1) })
        #expect(constants.count > 80)
        #expect(constants.subtracting(described) == [])
    }

    @Test func everySignalingMessageIsDescribed() throws {
        let schema = try Self.description("signaling.schema.json")
        let definitions = try #require(schema["$defs"] as? [String: Any])
        func described(_ side: String) -> Set<String> {
            Set(definitions.keys.filter { $0.hasPrefix("\(side)_") }.map { String($0.dropFirst(side.count + 1)) })
        }
        let page = try Self.page("Signaling").text
        let session = try #require(
            try Repository.files(in: "Sources/Api", "swift").first { $0.path.hasSuffix("/SignalingSession.swift") })
        let taken = Set(session.text.matches(of: /case "(\w+)":/).map { String($0.output.1) })
        #expect(taken == described("client"))
        let said = try Self.found("var type = \"(\\w+)\"", in: "Sources/Api").subtracting(["about"])
            .union(Self.found("\\{\"type\":\"(\\w+)\"", in: "Sources/Api"))
        #expect(said == described("server"))
        for type in taken.union(said) {
            #expect(page.contains("`\(type)`") || page.contains("### \(type)\n"), "the page has no \(type)")
        }
        for (name, definition) in definitions where name.hasPrefix("client_") || name.hasPrefix("server_") {
            let fields = ((definition as? [String: Any])?["properties"] as? [String: Any])?.keys.map { $0 } ?? []
            for field in fields where field != "type" {
                #expect(page.contains("`\(field)`"), "the page has no \(field) of \(name)")
            }
        }
    }

    @Test func everyEventIsDescribed() throws {
        let definitions = try #require(try Self.description("webhooks.schema.json")["$defs"] as? [String: Any])
        let types = try Self.found("case \\w+ = \"([a-z_]+\\.[a-z_]+)\"", in: "Sources/Webhooks")
        #expect(types.count > 8)
        #expect(Set(definitions.keys.filter { $0.contains(".") }) == types)
        let page = try Self.page("Webhooks").text
        for type in types { #expect(page.contains("| `\(type)` |"), "the page has no \(type)") }
    }

    @Test func everyCallIsDescribed() throws {
        let paths = try #require(try Self.description("openapi.json")["paths"] as? [String: [String: Any]])
        let page = try Self.page("REST").text
        for path in paths.keys where path != "/api/v1/signal" {
            let last = "/\(path.split(separator: "/").last ?? "")"
            #expect(page.contains(path) || page.contains("`\(last)`"), "the page has no \(path)")
        }
        var routes = 0
        let pattern = /(?:meetings|node|whip|webhooks)\.(get|post|patch|delete)(?:\("([^"]+)"\))? \{/
        for file in try Repository.files(in: "Sources/Api", "swift") where file.path.hasSuffix("Routes.swift") {
            let bases = [
                "NodeRoutes.swift": ["/api/v1/node"], "WHIPRoutes.swift": ["/whip", "/whep"],
                "WebhookRoutes.swift": ["/api/v1/webhooks"],
            ]
            let name = String(file.path.split(separator: "/").last ?? "")
            for match in file.text.matches(of: pattern) {
                routes += 1
                let rest = match.output.2.map { "/" + $0.replacing(/:(\w+)/) { "{\($0.output.1)}" } } ?? ""
                let method = String(match.output.1)
                for base in bases[name] ?? ["/api/v1/meetings"] {
                    #expect(paths[base + rest]?[method] != nil, "no \(method) \(base + rest) in openapi.json")
                }
            }
        }
        #expect(routes >= 16)
    }

    @Test func everyErrorCodeIsDescribed() throws {
        let codes = try Self.found("Problem\\(\\s*[0-9]{3}, \"([a-z0-9_]+)\"", in: "Sources/Api")
            .union(Self.found("unauthorized\\(\\s*\"([a-z_]+)\"", in: "Sources/Api"))
            .union(Self.found("case \\.\\w+(?:, \\.\\w+)*: \"([a-z_]+)\"", in: "Sources/Meetings"))
        #expect(codes.count > 25)
        let pages = try Self.page("REST").text + Self.page("Signaling").text
        for code in codes { #expect(pages.contains("`\(code)`"), "neither page has \(code)") }
    }
}
