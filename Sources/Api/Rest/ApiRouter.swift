import Hummingbird
import Logging

/// Everything that the API listener serves.
enum ApiRouter {
    static func make(meetings: MeetingRoutes, tokens: TokenAuthority, webFolder: String?, logger: Logger) -> Router<
        ApiContext
    > {
        let router = Router(context: ApiContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: HeadAnswers())
        router.add(
            middleware: SecurityHeaders(
                isSecure: meetings.configuration.certificates != nil, fleet: meetings.configuration.fleetOrigins))
        router.add(middleware: ProblemMiddleware())
        let methods = AllowedMethods<ApiContext>()
        router.add(middleware: methods)
        router.add(middleware: PlainPath())
        router.add(middleware: FileConditions())
        if let webFolder { router.add(middleware: WebClient.middleware(folder: webFolder, logger: logger)) }
        meetings.add(to: router)
        for stream in StreamProtocol.allCases {
            WHIPRoutes(
                stream: stream, configuration: meetings.configuration, hub: meetings.hub, tokens: tokens,
                limiter: meetings.limiter, clock: meetings.clock
            ).add(to: router)
        }
        Descriptions.add(to: router)
        let origins = Origins(meetings.configuration)
        router.get("api/v1/signal") { request, _ -> Response in
            guard origins.permitSocket(request.headers, authority: request.head.authority) else {
                throw Problem.foreignOrigin
            }
            return Handshake.refusal(of: request)
        }
        router.get("api/v1/dev/token") { _, _ -> Response in
            guard let token = try tokens.developmentToken() else {
                throw Problem(404, "not_found", "There is nothing here.")
            }
            return .json(["token": token])
        }
        methods.learn(router.routes.map { ($0.path, $0.method) })
        return router
    }
}
