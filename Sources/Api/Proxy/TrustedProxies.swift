import Wire

/// The proxies whose word on where a request came from is taken.
public struct TrustedProxies: Sendable, Equatable {
    /// The first `length` bits of `address`.
    public struct Prefix: Sendable, Equatable {
        public var address: IPAddress
        public var length: Int

        public init(address: IPAddress, length: Int) {
            self.address = address
            self.length = length
        }
    }

    public var prefixes: [Prefix]

    public init(_ prefixes: [Prefix] = []) { self.prefixes = prefixes }

    func contains(_ address: IPAddress) -> Bool {
        prefixes.contains { address.isInside($0.address, prefixLength: $0.length) }
    }

    /// Who is behind the proxy that a request came from: the nearest address that no proxy of ours has.
    ///
    /// A proxy writes one of the two fields, and may let the other one through as the client wrote it: where they
    /// disagree, nobody is believed.
    ///
    /// - Parameters:
    ///   - nearest: where the request came from itself.
    ///   - forwarded: the values of Forwarded (RFC 7239).
    ///   - forwardedFor: the values of X-Forwarded-For.
    func client(nearest: IPAddress, forwarded: [String], forwardedFor: [String]) -> IPAddress {
        guard contains(nearest) else { return nearest }
        let one = forwarded.isEmpty ? nil : client(behind: nearest, Self.nodes(forwarded: forwarded))
        let other = forwardedFor.isEmpty ? nil : client(behind: nearest, Self.nodes(forwardedFor: forwardedFor))
        guard let one, let other else { return one ?? other ?? nearest }
        return one == other ? one : nearest
    }

    /// - Parameter nodes: the nearest last; nil for one that has no address.
    private func client(behind nearest: IPAddress, _ nodes: [IPAddress?]) -> IPAddress {
        var client = nearest
        for node in nodes.reversed() {
            guard contains(client), let node else { break }
            client = node
        }
        return client
    }

    /// The last so many entries are read.
    private static let mostNodes = 16

    private static func nodes(forwardedFor values: [String]) -> [IPAddress?] {
        values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.suffix(mostNodes).map(node)
    }

    /// The parameter `for` of each element (RFC 7239 section 4); commas and semicolons in quotes are in no address.
    private static func nodes(forwarded values: [String]) -> [IPAddress?] {
        values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.suffix(mostNodes).map { element in
            for parameter in element.split(separator: ";") {
                let parts = parameter.split(separator: "=", maxSplits: 1).map { trimmed($0) }
                if parts.count == 2, parts[0].lowercased() == "for" { return node(parts[1]) }
            }
            return nil
        }
    }

    /// An address as both fields write it: bare, or with a port, of IPv6 then in brackets, and in quotes.
    private static func node(_ text: Substring) -> IPAddress? {
        var text = trimmed(text)
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        if let address = IPAddress(String(text)) { return address }
        if text.hasPrefix("["), text.hasSuffix("]") { return IPAddress(String(text.dropFirst().dropLast())) }
        return Endpoint(String(text))?.address
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
