import Fleet

/// How Redis is reached, and where in it the Registry is.
public struct RedisConfiguration: Sendable {
    /// Tried in this order: the first that answers and is no replica is used.
    public var addresses: [RedisAddress]
    /// Nil: without TLS.
    public var tls: RedisTLS?
    /// Nil: Redis's `default`.
    public var user: String?
    /// Nil: no AUTH is sent.
    public var password: String?
    /// What all of the Registry's keys begin with.
    public var prefix: String
    public var times = RegistryTimes()
    /// For TCP and TLS together, per address.
    public var connectTimeout: Duration = .seconds(1)
    /// From the call to its answer.
    public var commandTimeout: Duration = .seconds(1)
    /// How long a connection is quiet before it is asked whether it is alive.
    public var pingInterval: Duration = .seconds(1)

    public init(
        addresses: [RedisAddress], tls: RedisTLS? = nil, user: String? = nil, password: String? = nil,
        prefix: String = "needletail:"
    ) {
        self.addresses = addresses
        self.tls = tls
        self.user = user
        self.password = password
        self.prefix = prefix
    }
}

/// A server of Redis: a host's name or address, and its port.
public struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16 = 6_379) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How Redis's certificate is checked, and what is ours.
public struct RedisTLS: Hashable, Sendable {
    /// PEM: whom to trust; nil: whom the system trusts.
    public var authorities: [UInt8]?
    /// What the certificate is for; nil: the address's host.
    public var serverName: String?
    /// What we prove ourselves with; nil: Redis does not ask (`tls-auth-clients no`).
    public var identity: Identity?

    /// PEM: the certificate and its intermediates, and the key, without a passphrase.
    public struct Identity: Hashable, Sendable {
        public var certificates: [UInt8]
        public var key: [UInt8]

        public init(certificates: [UInt8], key: [UInt8]) {
            self.certificates = certificates
            self.key = key
        }
    }

    public init(authorities: [UInt8]? = nil, serverName: String? = nil, identity: Identity? = nil) {
        self.authorities = authorities
        self.serverName = serverName
        self.identity = identity
    }

    /// Why it cannot be used with a server of that host; nil: it can.
    public func fault(for host: String) -> String? {
        do throws(ConnectionFailure) {
            _ = try TLSClient(self, serverName: serverName ?? host)
            return nil
        } catch {
            return error.reason
        }
    }
}
