import HTTPTypes
import Hummingbird
import NIOHTTP1

/// The pages that may use the API for the people who look at them (RFC 6454): our own, and those of listed origins. A
/// program sends no Origin, or none that means anything; every browser does, and no page can hide or forge it.
struct Origins: Sendable {
    enum Verdict: Sendable {
        /// No page asked, or one of ours.
        case own
        /// A page of this listed origin asked.
        case listed(String)
        case foreign
    }

    private let listed: Set<String>
    private let publicHost: String?
    /// Nil without a fleet.
    private let fleet: FleetOrigins?

    init(_ configuration: ApiConfiguration) {
        listed = Set(configuration.allowedOrigins.map { $0.lowercased() })
        publicHost = configuration.publicURL.flatMap { Self.host(ApiConfiguration.trimmed($0).lowercased()) }
        fleet = configuration.fleet == nil ? nil : configuration.fleetOrigins
    }

    /// - Parameters:
    ///   - origin: the header Origin.
    ///   - authority: the host that was asked, as Host says.
    ///   - site: Sec-Fetch-Site (Fetch Metadata): what the browser itself makes of the origin. Where a proxy asks by another
    ///     name than the browser did, it alone knows.
    func verdict(origin: String?, authority: String?, site: String?) -> Verdict {
        guard let origin = origin?.lowercased() else { return .own }
        if site == "same-origin" { return .own }
        if listed.contains(origin) { return .listed(origin) }
        guard let host = Self.host(origin) else { return .foreign }
        // By host and port, not by scheme: where TLS ends at a proxy, ours is another one.
        let scheme = origin.prefix { $0 != ":" }
        let isAsked = authority.map { Self.normal($0.lowercased(), scheme: scheme) } == host
        if let fleet, !isAsked, host == publicHost || fleet.contains(origin) {
            // A page that a PoP served by another name talks to the one that has its meeting.
            return .listed(origin)
        }
        return isAsked || host == publicHost ? .own : .foreign
    }

    /// Of a request before it is one of the router's.
    func verdict(of head: HTTPRequestHead) -> Verdict {
        verdict(
            origin: head.headers.first(name: "Origin"), authority: head.headers.first(name: "Host"),
            site: head.headers.first(name: "Sec-Fetch-Site"))
    }

    /// Whether a page may open the signaling socket: browsers ask nobody before they do.
    func permitSocket(_ fields: HTTPFields, authority: String?) -> Bool {
        let verdict = verdict(origin: fields[.origin], authority: authority, site: fields[.secFetchSite])
        if case .foreign = verdict { return false }
        return true
    }

    /// Host and port of an origin, without the port that goes without saying; nil for one that is none (`null`).
    private static func host(_ origin: String) -> String? {
        guard let colon = origin.firstIndex(of: ":"), origin[colon...].hasPrefix("://") else { return nil }
        let host = origin[origin.index(colon, offsetBy: 3)...]
        return host.isEmpty ? nil : normal(String(host), scheme: origin[..<colon])
    }

    private static func normal(_ authority: String, scheme: Substring) -> String {
        let usual = scheme == "https" ? ":443" : ":80"
        return authority.hasSuffix(usual) ? String(authority.dropLast(usual.count)) : authority
    }
}

extension Problem {
    static let foreignOrigin = Problem(
        403, "origin_forbidden", "Pages of this origin may not do this: api.allowed_origins does not list it.")
}

/// Keeps foreign pages out, and lets those of listed origins read what they are answered (the Fetch standard's CORS
/// protocol).
struct OriginCheck<Context: RequestContext>: RouterMiddleware {
    let origins: Origins

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let verdict = origins.verdict(
            origin: request.headers[.origin], authority: request.head.authority,
            site: request.headers[.secFetchSite])
        switch verdict {
        case .own: return try await next(request, context)
        case .foreign: throw Problem.foreignOrigin
        case .listed(let origin):
            var response: Response
            do {
                response = try await next(request, context)
            } catch let error as CancellationError {
                throw error
            } catch {
                response = Problem(any: error).response()
            }
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] = "Location, Retry-After"
            response.headers[.vary] = "Origin"
            return response
        }
    }

    /// What a browser asks before it sends a page's call.
    func preflight() -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, POST, PATCH, DELETE",
                .accessControlAllowHeaders: "Authorization, Content-Type",
                // Seconds: two hours is what Chromium takes at most.
                .accessControlMaxAge: "7200",
            ])
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}

extension Request {
    /// A form of any page may post text; JSON only by a script that the browser asks about (the Fetch standard's
    /// CORS-safelisted request headers).
    ///
    /// - Throws: `Problem` 415.
    func requireJSON() throws {
        guard headers[.contentType].map({ MediaRange($0).name }) == "application/json" else {
            throw Problem(415, "unsupported_media_type", "This call takes application/json: say so in Content-Type.")
        }
    }
}
