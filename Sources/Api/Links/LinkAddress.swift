/// Where a PoP's fleet listener is reached: a host's name or address, and its port.
public struct LinkAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil unless `text` is `host:port`, with an IPv6 address in brackets: what other PoPs say is not trusted.
    public init?(_ text: String) {
        guard text.utf8.count <= 262, let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let port = UInt16(digits), port > 0 else { return nil }
        let host = text[..<colon]
        if let address = host.wholeMatch(of: /\[([0-9A-Fa-f:.]+)\]/)?.output.1 {
            guard address.contains(":") else { return nil }
            self.init(host: String(address), port: Int(port))
        } else {
            guard host.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9.\-]{0,252}/) != nil else { return nil }
            self.init(host: String(host), port: Int(port))
        }
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
