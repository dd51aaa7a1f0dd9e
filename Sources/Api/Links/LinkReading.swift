import Fleet

/// A look at the links of a PoP.
public struct LinkReading: Sendable, Equatable {
    /// The PoPs that there is a link to, and the round trip where it was measured.
    public var open: [PoPName: Duration?] = [:]
    /// Connections that did not become a link, by `LinkFailure.kind`.
    public var refused: [String: UInt64] = [:]
    /// Links that ended.
    public var ended: [String: UInt64] = [:]
    public var exchange = ExchangeCounters()

    public init() {}
}
