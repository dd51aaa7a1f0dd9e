import Conference
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Meetings
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// An error as clients see it (RFC 9457), with a stable `code`.
struct Problem: Error, HTTPResponseError, Equatable {
    var status: HTTPResponse.Status
    var code: String
    var detail: String
    /// Seconds, for the Retry-After header.
    var retryAfter: Int?
    /// Where the same call is answered, of 307.
    var elsewhere: Elsewhere?
    /// For the Location header.
    var location: String?

    init(_ status: Int, _ code: String, _ detail: String, retryAfter: Int? = nil) {
        let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
        self.status = HTTPResponse.Status(code: status, reasonPhrase: reason)
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
    }

    static func unauthorized(_ code: String, _ detail: String) -> Problem { Problem(401, code, detail) }
    static func malformed(_ detail: String) -> Problem { Problem(400, "malformed", detail) }
    static let bodyTooLarge = Problem(413, "too_large", "A body has at most 64 KiB.")
    static let draining = Problem(503, "draining", "The node takes no newcomers: it is being emptied.", retryAfter: 5)

    init(_ error: MeetingError) { self.init(error.status, error.code, error.message) }

    init(_ error: MediaError) {
        let status =
            switch error.code {
            case .full, .draining: 503
            case .badOffer: 400
            case .noSession: 409
            case .unsupported: 422
            }
        self.init(status, error.code.rawValue, error.message)
    }

    /// What any error looks like from outside: its own words where it has some, none of ours otherwise.
    init(any error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as MeetingError: self.init(error)
        case let error as MediaError: self.init(error)
        case let error as any HTTPResponseError: self.init(plain: error.status)
        default: self.init(500, "internal", "The server failed to answer.")
        }
    }

    private init(plain status: HTTPResponse.Status) {
        switch status {
        case .notFound: self.init(404, "not_found", "There is nothing here.")
        case .contentTooLarge: self = .bodyTooLarge
        default: self.init(status.code, "http_\(status.code)", status.reasonPhrase)
        }
    }

    private struct Body: Encodable {
        var type = "about:blank"
        var title: String
        var status: Int
        var code: String
        var detail: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response { response() }

    func response() -> Response {
        Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }

    var body: ByteBuffer {
        let body = Body(title: status.reasonPhrase, status: status.code, code: code, detail: detail)
        return ByteBuffer(bytes: JSON.encode(body))
    }

    var fields: HTTPFields {
        var fields: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if let retryAfter { fields[.retryAfter] = String(retryAfter) }
        if let location { fields[.location] = location }
        if status == .unauthorized { fields[.wwwAuthenticate] = "Bearer" }
        return fields
    }
}

/// Turns whatever a handler throws into a Problem.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    private static func isClients(_ error: any Error) -> Bool {
        error is IOError || error is ChannelError || error is any NIOHTTP2Error
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as CancellationError {
            throw error
        } catch {
            let problem = Problem(any: error)
            // A client that goes away is no fault of ours.
            if problem.status.code == 500, !Self.isClients(error) {
                context.logger.error("request failed", metadata: ["error": "\(type(of: error))"])
            }
            return problem.response()
        }
    }
}
