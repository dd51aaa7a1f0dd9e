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
