import Meetings

/// Checks and issues tokens. Service keys and the session key are apart, so that neither kind of token
/// can pass for the other.
struct TokenAuthority: Sendable {
    /// How far the clock of whoever signs a service token may be from ours, seconds (RFC 7519 section 4.1.4).
    static let leeway = 60.0

    private let services: ServiceKeys
    private let session: [UInt8]
    private let development: ApiConfiguration.Key?
    private let clock: any ApiClock

    init(keys: ServiceKeys, clock: any ApiClock, development: ApiConfiguration.Key?) {
        services = keys
        self.development = development
        self.clock = clock
        // Meetings live in memory, so a fresh key for each process loses nothing.
        session = Self.freshSecret()
    }

    static func freshSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    // MARK: Service tokens

    /// - Throws: `Problem` 401.
    func service(_ token: String) throws -> ServiceToken {
        guard let claims = JSONWebToken.claims(ServiceToken.self, of: token, key: { key($0.iss) }) else {
            throw Problem.unauthorized("token_invalid", "The token is not one of a known key.")
        }
        let now = clock.utc.seconds
        guard claims.exp + Self.leeway > now else {
            throw Problem.unauthorized("token_expired", "The token has expired.")
        }
        guard (claims.nbf ?? 0) - Self.leeway <= now else {
            throw Problem.unauthorized("token_invalid", "The token is not valid yet.")
        }
        return claims
    }

    private func key(_ id: String) -> [UInt8]? { development?.id == id ? development?.secret : services[id] }

    /// A token for the web client of a developer; nil unless in development.
    func developmentToken() throws -> String? {
        guard let development else { return nil }
        let claims = ServiceToken(
            iss: development.id, sub: "developer", exp: clock.utc.seconds + 3_600,
            meeting: Grants([Grants.create, Grants.host]))
        return try JSONWebToken.sign(claims, key: development.secret)
    }

    // MARK: Session tokens

    func issue(_ participant: Participant, in meeting: MeetingID, expires: Timestamp) throws -> String {
        let claims = SessionToken(
            aud: SessionToken.audience, sub: participant.id.rawValue, meeting: meeting.rawValue,
            role: participant.role.rawValue, exp: expires.seconds)
        return try JSONWebToken.sign(claims, key: session)
    }

    /// Whom a session token names that another PoP issued, which nothing shows yet.
    static func unverified(_ token: String) -> (id: ParticipantID, meeting: MeetingID)? {
        guard let claims = JSONWebToken.unverifiedClaims(SessionToken.self, of: token),
            claims.aud == SessionToken.audience, let id = ParticipantID(claims.sub),
            let meeting = MeetingID(claims.meeting)
        else { return nil }
        return (id, meeting)
    }

    /// The participant whom the token names, and whether it may still open a first socket.
    ///
    /// - Throws: `Problem` 401.
    func participant(_ token: String) throws -> (id: ParticipantID, meeting: MeetingID, isFresh: Bool) {
        guard let claims = JSONWebToken.claims(SessionToken.self, of: token, key: { _ in session }),
            claims.aud == SessionToken.audience,
            let id = ParticipantID(claims.sub), let meeting = MeetingID(claims.meeting)
        else { throw Problem.unauthorized("token_invalid", "The session token is not valid.") }
        return (id, meeting, claims.exp > clock.now.seconds)
    }
}
