import Foundation
import Testing
import Webhooks

@testable import needletail

@Suite struct WebhooksSections {
    private static let head = """
        port: {device: net_null0, addresses: ["192.0.2.2/24"]}
        store: {path: meetings.db}

        """
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func load(_ text: String) throws -> WebhooksSection? {
        try NodeConfiguration(ConfigurationFile(text: text, path: "f"), machine: 1 << 20).webhooks
    }

    private static func complaint(_ text: String) -> String {
        do {
            _ = try load(text)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    private static func endpoint(_ keys: String) -> String { head + "webhooks:\n  endpoints:\n    - {\(keys)}" }

    @Test func endpointsAreTakenWithTheirDefaults() throws {
        #expect(try Self.load(Self.head) == nil)
        let text = """
            webhooks:
              timeout_s: 3
              retry_s: [1, 2]
              endpoints:
                - name: crm
                  url: "https://crm.example.org/hook?tenant=a%20b"
                  secret: "\(Self.secret)"
                  former_secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
                - {name: local, url: "http://127.0.0.1:8100", secret: "\(Self.secret)", events: [chat.message]}
            """
        let section = try #require(try Self.load(Self.head + text))
        #expect(section.timeout == .seconds(3) && section.schedule.delays == [.seconds(1), .seconds(2)])
        let (crm, local) = (section.endpoints[0], section.endpoints[1])
        #expect(crm.host == "crm.example.org" && crm.port == 443 && crm.target == "/hook?tenant=a%20b")
        #expect(crm.tls != nil && crm.authority == "crm.example.org" && crm.secrets.count == 2)
        #expect(crm.events == EventType.usual)
        #expect(local.tls == nil && local.authority == "127.0.0.1:8100" && local.target == "/")
        #expect(local.events == [.chatMessage])
    }

    @Test func secretsMayBeInAFile() throws {
        let folder = FileManager.default.temporaryDirectory
        let path = folder.appending(path: "needletail-secret-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keys = "name: a, url: \"https://a.example\", secret_file: \"\(path)\""
        #expect(Self.complaint(Self.endpoint(keys)).hasPrefix("f:5: webhooks.endpoints.secret_file: \(path) "))
        try "\(Self.secret)\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try Self.load(Self.endpoint(keys))?.endpoints[0].secrets.count == 1)
        try "\(Self.secret)\n\(Self.secret)\nmore".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try Self.load(Self.endpoint(keys))?.endpoints[0].secrets.count == 2)
        try "\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(Self.complaint(Self.endpoint(keys)).hasSuffix("has no secret in its first line"))
        #expect(
            Self.complaint(Self.endpoint(keys + ", secret: \"\(Self.secret)\""))
                == "f:5: webhooks.endpoints.secret_file: is there beside secret: give one of them")
    }

    @Test(arguments: [
        ("name: a", "url: must be an address, as https://crm.example.org/needletail"),
        ("url: \"https://a.example\"", "name: must be there: 1 to 64 of A-Z a-z 0-9 - _ ."),
        ("name: \"a b\"", "name: must be there: 1 to 64 of A-Z a-z 0-9 - _ ."),
        ("name: a, url: \"https://a.example\"", "secret: is missing: give it, or secret_file"),
        (
            "name: a, url: \"https://a.example\", secret: hunter2hunter2",
            "secret: must be whsec_ and the base64 of 24 to 64 bytes"
        ),
        ("name: a, url: \"ftp://a.example\"", "url: must be an address, as https://crm.example.org/needletail"),
        ("name: a, url: \"https://u:p@a.example\"", "url: must be an address, as https://crm.example.org/needletail"),
        ("name: a, url: \"https://a.example/#x\"", "url: must be an address, as https://crm.example.org/needletail"),
        (
            "name: a, url: \"http://a.example\"",
            "url: must be https: anybody on the way reads http; plain_http: yes allows it"
        ),
        ("name: a, events: [meeting.exploded]", "events: must be a list of meeting.created, meeting.updated, "),
        ("name: a, urll: x", "urll: unknown key; there are ca, events, former_secret, name, plain_http, secret, "),
        ("name: [a]", "name: must be text"),
    ])
    func aMistakeIsOneLineWithItsKey(keys: String, message: String) {
        let said = Self.complaint(Self.endpoint(keys))
        #expect(said.hasPrefix("f:5: webhooks.endpoints.\(message)"), "\(said)")
    }

    @Test func endpointsNeedAStoreAndNamesOfTheirOwn() {
        let one = "{name: a, url: \"https://a.example\", secret: \"\(Self.secret)\"}"
        #expect(
            Self.complaint(
                "port: {device: net_null0, addresses: [\"192.0.2.2/24\"]}\nwebhooks: {endpoints: [\(one)]}")
                == "f:2: webhooks.endpoints: needs store.path: what waits to be delivered is kept there")
        #expect(
            Self.complaint(Self.head + "webhooks: {endpoints: [\(one), \(one)]}")
                == "f:3: webhooks.endpoints.name: a is there twice")
        #expect(
            Self.complaint(Self.head + "webhooks: {endpoints: [a]}").hasPrefix(
                "f:3: webhooks.endpoints: must be a list of sections: "))
        #expect(
            Self.complaint(Self.head + "webhooks: {retry_s: [0]}")
                == "f:3: webhooks.retry_s: must have 1 to 32 whole numbers from 1 to 86400")
        let plain = one.replacingOccurrences(of: "https:", with: "http:").dropLast() + ", plain_http: \"yes\"}"
        #expect(Self.complaint(Self.head + "webhooks: {endpoints: [\(plain)]}") == "accepted")
    }
}
