import Hummingbird
import Meetings

/// Who may do what operators do on the `ops` listener: whoever reaches a loopback listener with a program (a browser says where
/// its page is from), else a service token with the `admin` grant.
struct OperatorGate: Sendable {
    let listen: ApiConfiguration.Listen
    let tokens: TokenAuthority

    /// - Throws: `Problem` 401, 403.
    func authorize(_ request: Request) async throws {
        if listen.isLoopback, request.headers[.authorization] == nil {
            guard request.headers[.origin] == nil else { throw Problem(MeetingError.forbidden) }
            return
        }
        let token = try tokens.service(request.bearer())
        guard token.grants(Grants.admin) else { throw Problem(MeetingError.forbidden) }
    }
}
