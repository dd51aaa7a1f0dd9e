import Wire

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
