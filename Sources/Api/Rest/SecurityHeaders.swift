import HTTPTypes
import Hummingbird

/// The headers that keep a browser from doing with our pages what they never need.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    private static func policy(_ sources: [String]) -> String {
        let policy = [
            "default-src 'self'", (["connect-src 'self' ws: wss:"] + sources).joined(separator: " "),
            "img-src 'self' data: blob:",
            "media-src 'self' blob: mediastream:", "worker-src 'self' blob:", "object-src 'none'", "base-uri 'none'",
            "form-action 'self'", "frame-ancestors 'none'",
        ]
        return policy.joined(separator: "; ")
    }

    private static func fields(isSecure: Bool) -> HTTPFields {
        var fields: HTTPFields = [
            .contentSecurityPolicy: policy([]),
            .xContentTypeOptions: "nosniff",
        ]
        fields[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        fields[HTTPField.Name("Cross-Origin-Opener-Policy")!] = "same-origin"
        fields[HTTPField.Name("Cross-Origin-Resource-Policy")!] = "same-origin"
        fields[HTTPField.Name("X-Frame-Options")!] = "DENY"
        fields[HTTPField.Name("Permissions-Policy")!] =
            "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()"
        // RFC 6797: a year. Not for the other names of the domain, which are not ours.
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        return fields
    }

    private let fields: HTTPFields
    private let fleet: FleetOrigins

    /// - Parameters:
    ///   - isSecure: the listener speaks TLS.
    ///   - fleet: the PoPs that our pages may talk to.
    init(isSecure: Bool, fleet: FleetOrigins) {
        fields = Self.fields(isSecure: isSecure)
        self.fleet = fleet
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers.append(contentsOf: fields)
        let sources = fleet.sources
        if !sources.isEmpty { response.headers[.contentSecurityPolicy] = Self.policy(sources) }
        return response
    }
}
