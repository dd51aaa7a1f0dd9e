import HTTPTypes
import Hummingbird

/// Leaves the body of each answer to HEAD away (RFC 9110 section 9.3.2), also where no route was found: clients take the bytes
/// for the next answer, and HTTP/2 ends the connection.
struct HeadAnswers<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        // A 304 has no Content-Length, and gets none.
        guard request.method == .head, response.body.contentLength != 0 else { return response }
        return response.createHeadResponse()
    }
}
