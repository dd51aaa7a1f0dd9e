import Wire

/// A candidate line (RFC 8839 section 5.1), of ours or of the peer.
///
/// As an ICE-lite agent we send no checks, so the peer's candidates are parsed to tell a malformed message from a
/// good one, and to show where the peer is; media follow the addresses that the peer's checks come from.
public struct IceCandidate: Equatable, Sendable {
    public var foundation: String
    public var component: Int
    public var priority: UInt32
    /// Nil for a name (an mDNS `.local` one, as a rule) and for what is not UDP.
    public var endpoint: Endpoint?
    /// `host`, `srflx`, `prflx`, `relay`, or a type of the future.
    public var type: String

    /// A host candidate for RTP and RTCP on `endpoint`, the `index`-th of ours (0 the most preferred; RFC 8445
    /// section 5.1.2.1).
    public init(host endpoint: Endpoint, index: Int) {
        foundation = String(index + 1)
        component = 1
        priority = 126 << 24 | UInt32(65535 - min(max(index, 0), 65535)) << 8 | 255
        self.endpoint = endpoint
        type = "host"
    }

    /// Reads `candidate:...`, with or without `a=` before it. Nil when malformed; never resolves a name.
    public init?(_ line: some StringProtocol) {
        return nil
    }

    /// The line without `a=`; a candidate without an endpoint has none.
    public var text: String? { nil }
}
