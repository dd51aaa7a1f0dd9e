import JWTKit
import Meetings

/// Checks and issues tokens. Service keys and the session key are apart, so that neither kind of token
/// can pass for the other.
struct TokenAuthority: Sendable {
    private let services: [String: JWTKeyCollection]
    private let session: JWTKeyCollection
    private let development: ApiConfiguration.Key?
    private let clock: any ApiClock

    init(_ configuration: ApiConfiguration, clock: any ApiClock, development: ApiConfiguration.Key?) async {
        var services: [String: JWTKeyCollection] = [:]
        for key in configuration.keys + (development.map { [$0] } ?? []) {
            services[key.id] = await Self.collection(key.secret)
        }
        self.services = services
        self.development = development
        self.clock = clock
        // Meetings live in memory, so a fresh key for each process loses nothing.
        session = await Self.collection(Self.freshSecret())
    }

    static func freshSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// One key and one algorithm each: a token cannot choose another.
    private static func collection(_ secret: [UInt8]) async -> JWTKeyCollection {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        return keys
    }

    // MARK: Service tokens

    /// - Throws: `Problem` 401.
    func service(_ token: String) async throws -> ServiceToken {
        guard token.utf8.count <= 4_096,
            let issuer = try? await session.unverified(token, as: ServiceToken.self).iss,
            let keys = services[issuer],
            let claims = try? await keys.verify(token, as: ServiceToken.self)
        else { throw Problem.unauthorized("token_invalid", "The token is not one of a known key.") }
        let now = clock.now.seconds
        guard claims.exp > now else { throw Problem.unauthorized("token_expired", "The token has expired.") }
        guard (claims.nbf ?? 0) <= now else {
            throw Problem.unauthorized("token_invalid", "The token is not valid yet.")
        }
        return claims
    }

    /// A token for the web client of a developer; nil unless in development.
    func developmentToken() async throws -> String? {
        guard let development, let keys = services[development.id] else { return nil }
        let claims = ServiceToken(
            iss: development.id, sub: "developer", exp: clock.now.seconds + 3_600,
            meeting: Grants([Grants.create, Grants.host]))
        return try await keys.sign(claims)
    }

    // MARK: Session tokens

    func issue(_ participant: Participant, in meeting: MeetingID, expires: Timestamp) async throws -> String {
        let claims = SessionToken(
            aud: SessionToken.audience, sub: participant.id.rawValue, meeting: meeting.rawValue,
            role: participant.role.rawValue, exp: expires.seconds)
        return try await session.sign(claims)
    }

    /// The participant whom the token names, and whether it may still open a first socket.
    ///
    /// - Throws: `Problem` 401.
    func participant(_ token: String) async throws -> (id: ParticipantID, meeting: MeetingID, isFresh: Bool) {
        guard token.utf8.count <= 4_096,
            let claims = try? await session.verify(token, as: SessionToken.self),
            claims.aud == SessionToken.audience,
            let id = ParticipantID(claims.sub), let meeting = MeetingID(claims.meeting)
        else { throw Problem.unauthorized("token_invalid", "The session token is not valid.") }
        return (id, meeting, claims.exp > clock.now.seconds)
    }
}
