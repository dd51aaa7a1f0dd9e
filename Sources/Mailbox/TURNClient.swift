import Wire

/// How a TURN client reaches us.
@frozen
public enum TURNTransport: UInt8, Sendable, BitwiseCopyable {
    case udp, tcp, tls
}

/// A TURN client and its transport, as worker and control name it.
@frozen
public struct TURNClient: Hashable, Sendable, BitwiseCopyable {
    public var transport: TURNTransport
    /// What tells clients apart: over UDP the client's address; for streams `streamEndpoint(connection)`.
    public var endpoint: Endpoint
    /// The client's real address, as XOR-MAPPED-ADDRESS and limits by address want it.
    public var remote: Endpoint
    /// Our address that it speaks to.
    public var local: Endpoint

    @inlinable
    public init(transport: TURNTransport, endpoint: Endpoint, remote: Endpoint, local: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
        self.remote = remote
        self.local = local
    }

    /// The client of a TCP or TLS connection, by a number that control gives no other connection of this worker while
    /// anything of it may be under way.
    @inlinable
    public init(stream connection: UInt64, transport: TURNTransport, remote: Endpoint, local: Endpoint) {
        self.init(
            transport: transport, endpoint: Self.streamEndpoint(connection), remote: remote, local: local)
    }

    /// A connection's placeholder endpoint: in the discard-only prefix (RFC 6666), from which no frame is taken.
    @inlinable
    public static func streamEndpoint(_ connection: UInt64) -> Endpoint {
        Endpoint(address: IPAddress(high: 0x0100_0000_0000_0000, low: connection), port: 0)
    }

    /// The number of a stream's connection; nil over UDP.
    @inlinable
    public var connection: UInt64? { transport == .udp ? nil : endpoint.address.low }
}
