import Agents
import Conference
import Wire

/// What the control side of TURN needs to know before it starts.
public struct TURNConfiguration: Sendable {
    /// The protection domain that challenges name (RFC 8489 section 14.9).
    public var realm = "needletail"
    public var secrets: TURNSecrets
    /// Passwords by name, beside the time-limited credentials of joins.
    public var users: [String: String] = [:]
    /// How long a credential opens new allocations, seconds. Open ones go on.
    public var credentialLifetime: Int64 = 86_400
    /// What clients are told, `turn:192.0.2.2:443?transport=udp` and the like (RFC 7065).
    public var urls: [String] = []
    public var tcp: [ApiConfiguration.Listen] = []
    public var tls: [ApiConfiguration.Listen] = []
    /// Required where there are TLS listeners; nil without.
    public var certificates: CertificateStore?
    public var limits = AllocationLimits()
    /// Which channels streams may carry, as workers let them be bound.
    public var channelNumbers = ChannelData.numbers

    public init(secrets: TURNSecrets) { self.secrets = secrets }

    /// Who may allocate.
    public var authenticator: TURNAuthenticator {
        TURNAuthenticator(realm: realm, secrets: secrets, users: users)
    }
}
