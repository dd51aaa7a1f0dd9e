import Agents
import Api
import Foundation
import Webhooks
import Wire

/// The keys of each of `webhooks.endpoints`. `appliance/needletail.yaml` explains them.
enum WebhookKey: String, CaseIterable {
    case name, url, secret, events, ca
    case formerSecret = "former_secret"
    case secretFile = "secret_file"
    case plainHTTP = "plain_http"

    static let shapes = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0.shape) })

    private var shape: ConfigurationKey.Shape {
        switch self {
        case .name, .url, .secret, .ca, .formerSecret, .secretFile: .text
        case .events: .choices(EventType.allCases.map(\.rawValue))
        case .plainHTTP: .choice(["yes", "no"])
        }
    }
}

extension ConfigurationSection {
    fileprivate func text(_ key: WebhookKey) -> String? { text(key.rawValue) }

    fileprivate func error(_ key: WebhookKey, _ what: String) -> ConfigurationError { error(key.rawValue, what) }
}

/// The `webhooks` section, checked.
struct WebhooksSection {
    /// So many, as each has attempts of its own under way.
    static let mostEndpoints = 16

    var endpoints: [WebhookEndpoint]
    var schedule = RetrySchedule()
    /// How long an attempt may take.
    var timeout: Duration

    init(endpoints: [WebhookEndpoint], schedule: RetrySchedule, timeout: Duration) {
        self.endpoints = endpoints
        self.schedule = schedule
        self.timeout = timeout
    }

    /// Nil without endpoints.
    init?(_ file: ConfigurationFile) throws {
        let sections = file.sections(.webhooksEndpoints)
        timeout = .seconds(try file.integer(.webhooksTimeout, in: 1...60, default: 15))
        if let seconds = file.integers(.webhooksRetry) {
            guard (1...32).contains(seconds.count), seconds.allSatisfy({ (1...86_400).contains($0) }) else {
                throw file.error(.webhooksRetry, "must have 1 to 32 whole numbers from 1 to 86400")
            }
            schedule = RetrySchedule(seconds.map { .seconds($0) })
        }
        guard !sections.isEmpty else { return nil }
        guard file.has(.storePath) else {
            throw file.error(.webhooksEndpoints, "needs store.path: what waits to be delivered is kept there")
        }
        guard sections.count <= Self.mostEndpoints else {
            throw file.error(.webhooksEndpoints, "has more than \(Self.mostEndpoints) endpoints")
        }
        endpoints = try sections.map { try WebhookEndpoint($0) }
        var seen: Set<String> = []
        for (section, endpoint) in zip(sections, endpoints) where !seen.insert(endpoint.name).inserted {
            throw section.error(.name, "\(endpoint.name) is there twice")
        }
    }
}

/// A receiver of webhooks.
struct WebhookEndpoint: Sendable {
    let name: String
    let events: Set<EventType>
    /// A host's name, or an address without brackets.
    let host: String
    let port: Int
    /// Path and query.
    let target: String
    /// The one that is used, and the one before it while it is changed.
    let secrets: [WebhookSecret]
    /// Nil over plain HTTP.
    let tls: TLSContext?

    init(
        name: String, events: Set<EventType> = EventType.usual, host: String, port: Int, target: String = "/",
        secrets: [WebhookSecret], tls: TLSContext? = nil
    ) {
        self.name = name
        self.events = events
        self.host = host
        self.port = port
        self.target = target
        self.secrets = secrets
        self.tls = tls
    }

    init(_ section: ConfigurationSection) throws {
        guard let name = section.text(.name), name.wholeMatch(of: /[A-Za-z0-9_.\-]{1,64}/) != nil else {
            throw section.error(.name, "must be there: 1 to 64 of A-Z a-z 0-9 - _ .")
        }
        self.name = name
        events = section.texts("events").map { Set($0.compactMap(EventType.init(rawValue:))) } ?? EventType.usual
        guard !events.isEmpty else { throw section.error(.events, "must name at least one, or not be there") }
        let text = section.text(.url) ?? ""
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = url.host, !host.isEmpty, url.user == nil,
            url.password == nil, url.fragment == nil, text.utf8.count <= 2_048,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), url.port.map({ (1...65_535).contains($0) }) ?? true
        else { throw section.error(.url, "must be an address, as https://crm.example.org/needletail") }
        self.host = host.trimmingCharacters(in: ["[", "]"])
        port = url.port ?? (scheme == "https" ? 443 : 80)
        target =
            (url.percentEncodedPath.isEmpty ? "/" : url.percentEncodedPath)
            + (url.percentEncodedQuery.map { "?\($0)" } ?? "")
        let isLoopback = ["127.0.0.1", "::1", "localhost"].contains(self.host.lowercased())
        guard scheme == "https" || isLoopback || section.text(.plainHTTP) == "yes" else {
            throw section.error(.url, "must be https: anybody on the way reads http; plain_http: yes allows it")
        }
        secrets = try Self.secrets(section)
        tls = scheme == "https" ? try Self.tls(section, host: self.host) : nil
        guard tls != nil || !section.has(WebhookKey.ca.rawValue) else {
            throw section.error(.ca, "is for an https address")
        }
    }

    var subscription: WebhookSubscription { WebhookSubscription(endpoint: name, events: events) }

    /// For the field Host.
    var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == (tls == nil ? 80 : 443) ? host : "\(host):\(port)"
    }

    private static func secrets(_ section: ConfigurationSection) throws -> [WebhookSecret] {
        func secret(_ text: some StringProtocol, _ key: WebhookKey) throws -> WebhookSecret {
            guard let secret = WebhookSecret(String(text)) else {
                throw section.error(key, "must be whsec_ and the base64 of 24 to 64 bytes")
            }
            return secret
        }
        switch (section.text(.secret), section.text(.secretFile)) {
        case (let text?, nil):
            return [try secret(text, .secret)]
                + (try section.text(.formerSecret).map { [try secret($0, .formerSecret)] } ?? [])
        case (nil, let path?):
            guard section.text(.formerSecret) == nil else {
                throw section.error(.formerSecret, "is the second line of secret_file where there is one")
            }
            let bytes = try read(path, .secretFile, section)
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).prefix(2)
            guard !lines.isEmpty else { throw section.error(.secretFile, "\(path) has no secret in its first line") }
            return try lines.map { try secret($0, .secretFile) }
        case (nil, nil): throw section.error(.secret, "is missing: give it, or secret_file")
        case (_?, _?): throw section.error(.secretFile, "is there beside secret: give one of them")
        }
    }

    private static func tls(_ section: ConfigurationSection, host: String) throws -> TLSContext {
        do {
            guard let path = section.text(.ca) else { return try TLSContext(server: host, of: nil) }
            guard let authorities = TLSAuthorities(try read(path, .ca, section)) else {
                throw section.error(.ca, "\(path) holds no certificate")
            }
            return try TLSContext(server: host, of: authorities)
        } catch let error as DTLSError {
            throw section.error(.url, "no TLS for it: \(error)")
        }
    }

    private static func read(_ path: String, _ key: WebhookKey, _ section: ConfigurationSection) throws -> [UInt8] {
        do {
            return try RegularFile.read(path)
        } catch {
            throw section.error(key, "\(path) \(error)")
        }
    }
}
