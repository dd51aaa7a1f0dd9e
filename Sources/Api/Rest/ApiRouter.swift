import Hummingbird
import Logging

/// Everything that the API listener serves.
enum ApiRouter {
    static func make(meetings: MeetingRoutes, tokens: TokenAuthority, webFolder: String?, logger: Logger) -> Router<
        ApiContext
    > {
        let router = Router(context: ApiContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: SecurityHeaders(isSecure: meetings.configuration.certificates != nil))
        router.add(middleware: ProblemMiddleware())
        router.add(middleware: PlainPath())
        if let webFolder { router.add(middleware: WebClient.middleware(folder: webFolder, logger: logger)) }
        meetings.add(to: router)
        for stream in StreamProtocol.allCases {
            WHIPRoutes(
                stream: stream, configuration: meetings.configuration, hub: meetings.hub, tokens: tokens,
                limiter: meetings.limiter, clock: meetings.clock
            ).add(to: router)
        }
        Descriptions.add(to: router)
        router.get("api/v1/signal") { _, _ -> Response in
            var response = Problem(426, "upgrade_required", "This is a WebSocket; begin a connection with it.")
                .response()
            response.headers[.upgrade] = "websocket"
            response.headers[.connection] = "upgrade"
            return response
        }
        router.get("api/v1/dev/token") { _, _ -> Response in
            guard let token = try tokens.developmentToken() else {
                throw Problem(404, "not_found", "There is nothing here.")
            }
            return .json(["token": token])
        }
        return router
    }
}
