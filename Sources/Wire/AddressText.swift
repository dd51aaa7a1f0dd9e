import Glibc

// Text forms are for configuration, logs and signaling: control only, they allocate.

extension IPAddress: CustomStringConvertible {
    /// From dotted or colon text (RFC 4291 section 2.2); nil for anything else, zone identifiers too.
    public init?(_ text: String) {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self = withUnsafeBytes(of: &v6) { IPAddress(loadV6: $0.baseAddress!) }
    }

    /// RFC 5952 text; an IPv4 address in dotted form.
    public var description: String {
        var raw = (UInt64(0), UInt64(0))
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        withUnsafeMutableBytes(of: &raw) { raw in
            isV4 ? storeV4(to: raw.baseAddress!) : storeV6(to: raw.baseAddress!)
            _ = inet_ntop(isV4 ? AF_INET : AF_INET6, raw.baseAddress!, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension Endpoint: CustomStringConvertible {
    /// From `1.2.3.4:5` or `[::1]:5`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard bracketed == host.contains(":"), let address = IPAddress(String(host)) else { return nil }
        self.init(address: address, port: port)
    }

    /// `1.2.3.4:5` or `[::1]:5`.
    public var description: String { address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}

extension MACAddress: CustomStringConvertible {
    /// From six colon-separated groups of two hexadecimal digits.
    public init?(_ text: String) {
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count == 6 else { return nil }
        var bits: UInt64 = 0
        for group in groups {
            guard group.utf8.count == 2, group.allSatisfy(\.isHexDigit), let byte = UInt8(group, radix: 16) else {
                return nil
            }
            bits = bits << 8 | UInt64(byte)
        }
        self.init(bits)
    }

    /// `52:54:00:12:34:56`
    public var description: String {
        stride(from: 40, through: 0, by: -8).map { shift in
            let byte = UInt8(truncatingIfNeeded: bits >> UInt64(shift))
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined(separator: ":")
    }
}
