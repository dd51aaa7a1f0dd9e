import Wire

/// An Allocate request with credentials that only control can verify. The worker has checked its form, its nonce and
/// the sender's rate, and keeps its parameters under (`client`, `transaction`) for a few seconds. It is punted once however often the client repeats it. Answer with `TURNCommand.grant` or `.refuse`.
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
