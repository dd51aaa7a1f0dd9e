import Wire

/// The most that one customer has: what limits count by that many subnets must not get around.
enum EndSite {
    /// An IPv4 address, or the /48 of an IPv6 one (RFC 6177 section 2).
    ///
    /// - Parameter address: what limits by address count by.
    static func of(_ address: String) -> String {
        guard let known = IPAddress(address), !known.isV4 else { return address }
        return known.network(prefixLength: 48).description
    }
}
