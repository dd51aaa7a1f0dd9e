import HTTPTypes
import Hummingbird
import Synchronization

/// Tells a path that exists, but not by this method, from one that does not exist: 405 with the header Allow
/// (RFC 9110 section 15.5.6), which OPTIONS answers too.
final class AllowedMethods<Context: RequestContext>: RouterMiddleware {
    private struct Route {
        /// A parameter is `{id}`.
        let segments: [Substring]
        let methods: [String]
    }

    private let routes = Mutex<[Route]>([])

    /// Takes all routes of the router, once all are there.
    func learn(_ known: [(path: RouterPath, method: HTTPRequest.Method)]) {
        let methods = Dictionary(grouping: known) { $0.path.description }.mapValues { Set($0.map(\.method.rawValue)) }
        let learned = methods.map { path, methods in
            // Hummingbird answers HEAD wherever GET is.
            let all = methods.contains("GET") ? methods.union(["HEAD"]) : methods
            return Route(segments: path.split(separator: "/"), methods: all.union(["OPTIONS"]).sorted())
        }
        routes.withLock { $0 = learned }
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            var response = try await next(request, context)
            // A path of which a page may ask first, as CORS has it.
            if request.method == .options, response.headers[.allow] == nil, let methods = methods(of: request.uri.path)
            {
                response.headers[.allow] = methods.joined(separator: ", ")
            }
            return response
        } catch let error as HTTPError where error.status == .notFound {
            guard let methods = methods(of: request.uri.path) else { throw error }
            var response =
                request.method == .options
                ? Response(status: .noContent)
                : Problem(405, "method_not_allowed", "This address does not have that method.").response()
            response.headers[.allow] = methods.joined(separator: ", ")
            return response
        }
    }

    /// Those of all routes that the path fits; nil where there is none.
    private func methods(of path: String) -> [String]? {
        let segments = path.split(separator: "/")
        let found = routes.withLock { routes in
            routes.filter { route in
                route.segments.count == segments.count
                    && zip(route.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
            }
        }
        return found.isEmpty ? nil : Set(found.flatMap(\.methods)).sorted()
    }
}
