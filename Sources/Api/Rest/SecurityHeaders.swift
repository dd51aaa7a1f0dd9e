import HTTPTypes
import Hummingbird

/// The headers that keep a browser from doing with our pages what they never need.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    private static var fields: HTTPFields {
        let policy = [
            "default-src 'self'", "connect-src 'self' ws: wss:", "img-src 'self' data: blob:",
            "media-src 'self' blob: mediastream:", "worker-src 'self' blob:", "object-src 'none'", "base-uri 'none'",
            "form-action 'self'", "frame-ancestors 'none'",
        ]
        var fields: HTTPFields = [
            .contentSecurityPolicy: policy.joined(separator: "; "),
            .xContentTypeOptions: "nosniff",
        ]
        fields[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        fields[HTTPField.Name("Cross-Origin-Opener-Policy")!] = "same-origin"
        fields[HTTPField.Name("Cross-Origin-Resource-Policy")!] = "same-origin"
        fields[HTTPField.Name("X-Frame-Options")!] = "DENY"
        fields[HTTPField.Name("Permissions-Policy")!] =
            "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()"
        return fields
    }

    private let fields = Self.fields

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers.append(contentsOf: fields)
        return response
    }
}
