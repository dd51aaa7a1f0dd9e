import HTTPTypes
import Hummingbird

/// Lets pages of any origin use a call (the Fetch standard's CORS protocol): what lets them in is a token that they hold,
/// not a cookie that their browser does.
struct CrossOrigin<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.accessControlAllowOrigin] = "*"
        response.headers[.accessControlExposeHeaders] =
            "Location, Link, ETag, Retry-After, Accept-Post, Accept-Patch, WWW-Authenticate"
        return response
    }
}
