import Wire

/// A candidate line (RFC 8839 section 5.1), of ours or of the peer.
///
/// As an ICE-lite agent we send no checks, so the peer's candidates are parsed to tell a malformed message from a
/// good one, and to show where the peer is; media follow the addresses that the peer's checks come from.
public struct ICECandidate: Equatable, Sendable {
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
        foundation = String(max(index, 0) &+ 1)
        component = 1
        priority = 126 << 24 | UInt32(65535 - min(max(index, 0), 65535)) << 8 | 255
        self.endpoint = endpoint
        type = "host"
    }

    /// Reads `candidate:...`, with or without `a=` before it. Nil when malformed; never resolves a name.
    public init?(_ line: some StringProtocol) {
        guard line.utf8.count <= 1024 else { return nil }
        var text = String(line)
        if text.hasPrefix("a=") { text.removeFirst(2) }
        guard text.hasPrefix("candidate:") else { return nil }
        let fields = String(text.dropFirst(10)).words
        guard fields.count >= 8, fields[6] == "typ", fields[7].isToken(atMost: 32),
            ICECredentials.isValid(fields[0], length: 1...32),
            let component = UInt8(fields[1]), component > 0, fields[2].isToken(atMost: 16),
            let priority = UInt32(fields[3]), fields[4].utf8.count <= 255,
            let port = UInt16(fields[5])
        else { return nil }
        foundation = fields[0]
        self.component = Int(component)
        self.priority = priority
        type = fields[7]
        let address = fields[2].lowercased() == "udp" ? IPAddress(fields[4]) : nil
        endpoint = address.map { Endpoint(address: $0, port: port) }
    }

    /// The line without `a=`; a candidate without an endpoint has none.
    public var text: String? {
        endpoint.map {
            "candidate:\(foundation) \(component) udp \(priority) \($0.address) \($0.port) typ \(type)"
        }
    }
}
