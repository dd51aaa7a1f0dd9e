import Wire

/// Marks handles of Allocations. The worker gives them out.
public enum AllocationKind {}
/// One TURN allocation.
public typealias AllocationHandle = Handle<AllocationKind>

/// An Allocate request with credentials that only control can verify. The worker has checked its form, its nonce and
/// the sender's rate, keeps what it asks for by (`client`, `transaction`), and forgets it after a few seconds;
/// it is punted once however often the client repeats it. Answer with `TURNCommand.grant` or `.refuse`.
@frozen
public struct TURNRequest: Sendable, BitwiseCopyable {
    /// The largest UDP payload that a 1500-byte link carries.
    @inlinable public static var capacity: Int { 1_472 }

    public var client: TURNClient
    public var transaction: STUNTransactionID
    public var count: UInt16
    /// The message as it came.
    public var bytes: InlineArray<1472, UInt8>

    /// An empty request; `fill` it.
    @inlinable
    public init(client: TURNClient, transaction: STUNTransactionID) {
        self.client = client
        self.transaction = transaction
        count = 0
        bytes = InlineArray(repeating: 0)
    }

    /// Takes a copy of `source`; false, and nothing is taken, when it does not fit.
    @inlinable
    public mutating func fill(_ source: UnsafeRawBufferPointer) -> Bool {
        guard source.count <= Self.capacity else { return false }
        count = UInt16(truncatingIfNeeded: source.count)
        withUnsafeMutableBytes(of: &bytes) { $0.copyMemory(from: source) }
        return true
    }
}

/// What control tells a worker about TURN.
@frozen
public enum TURNCommand: Sendable, BitwiseCopyable {
    /// The credentials are right: allocate. Answered by `TURNEvent.allocationOpened` or `.allocationFailed`.
    case grant(GrantAllocation)
    /// An error response. Nothing of it stays.
    case refuse(RefuseAllocation)
    /// Deletes the allocation at once; answered by `TURNEvent.allocationClosed`.
    case close(AllocationHandle)
}

/// Credentials verified: what the worker needs for the response, and to verify later requests itself.
@frozen
public struct GrantAllocation: Sendable, BitwiseCopyable {
    /// Of the `TURNRequest`.
    public var client: TURNClient
    public var transaction: STUNTransactionID
    /// The first `keyLength` bytes: 16 of MD5 or 32 of SHA-256 (RFC 8489 sections 9.2.2 and 18.5).
    public var key: InlineArray<32, UInt8>
    public var keyLength: UInt8
    /// The request carried MESSAGE-INTEGRITY-SHA256, so the answers do, and later requests must.
    public var usesSHA256: Bool
    /// Whom control counts it for.
    public var user: UInt64
    /// Bytes a second of payload in both directions together; 0: no limit.
    public var bandwidth: UInt64
    /// The longest lifetime that requests are given, seconds; at least 600 lets the RFC's default through.
    public var maximumLifetime: UInt32

    /// `key` has at most 32 bytes.
    public init(
        _ request: borrowing TURNRequest, key: some Sequence<UInt8>, usesSHA256: Bool, user: UInt64,
        bandwidth: UInt64 = 0, maximumLifetime: UInt32 = 3_600
    ) {
        client = request.client
        transaction = request.transaction
        self.key = InlineArray(repeating: 0)
        keyLength = 0
        for byte in key.prefix(32) {
            self.key[Int(keyLength)] = byte
            keyLength += 1
        }
        self.usesSHA256 = usesSHA256
        self.user = user
        self.bandwidth = bandwidth
        self.maximumLifetime = maximumLifetime
    }
}

/// An Allocate request that control does not grant.
@frozen
public struct RefuseAllocation: Sendable, BitwiseCopyable {
    /// Of the `TURNRequest`.
    public var client: TURNClient
    public var transaction: STUNTransactionID
    /// 300, 400, 401 (REALM and a fresh NONCE are added), 403, 441, 486, 500 or 508 (RFC 8656 section 19).
    public var code: UInt16
    /// ALTERNATE-SERVER of a 300.
    public var alternate: Endpoint?
    /// With a key (as in `GrantAllocation`) the response is signed; a 401 is not.
    public var key: InlineArray<32, UInt8>
    public var keyLength: UInt8
    public var usesSHA256: Bool

    /// `key` has at most 32 bytes; empty where the credentials were wrong.
    public init(
        _ request: borrowing TURNRequest, code: UInt16, alternate: Endpoint? = nil,
        key: some Sequence<UInt8> = EmptyCollection<UInt8>(), usesSHA256: Bool = false
    ) {
        client = request.client
        transaction = request.transaction
        self.code = code
        self.alternate = alternate
        self.key = InlineArray(repeating: 0)
        keyLength = 0
        for byte in key.prefix(32) {
            self.key[Int(keyLength)] = byte
            keyLength += 1
        }
        self.usesSHA256 = usesSHA256
    }
}

/// What a worker tells control about TURN. For each grant there is one `allocationOpened` or `allocationFailed`, and for
/// each `allocationOpened` one `allocationClosed`: the worker keeps an allocation's place until the ring takes it.
/// `client.remote` is the address that was granted, wherever the client has moved since (RFC 8016).
@frozen
public enum TURNEvent: Sendable, BitwiseCopyable {
    case allocationOpened(AllocationHandle, user: UInt64, client: TURNClient)
    /// The grant came to nothing; `code` is the error response's, 0 when the request had been forgotten.
    case allocationFailed(user: UInt64, client: TURNClient, code: UInt16)
    case allocationClosed(AllocationHandle, user: UInt64, client: TURNClient, reason: TURNCloseReason)
}

/// Why an allocation ended.
@frozen
public enum TURNCloseReason: UInt8, Sendable, BitwiseCopyable {
    /// Its lifetime ran out.
    case expired
    /// A Refresh request with lifetime 0.
    case deleted
    /// The stream closed.
    case disconnected
    /// Control's command.
    case ordered
}
