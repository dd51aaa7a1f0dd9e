import Api
import Foundation
import Wire

/// Where listeners bind: what `host:port` may look like, and that no two are the same.
enum ListenRules {
    /// `127.0.0.1:8080` or `[::]:8080`.
    static func listen(_ text: String, of key: ConfigurationKey, in file: ConfigurationFile) throws
        -> ApiConfiguration.Listen
    {
        guard !text.contains("/") else {
            throw file.error(key, "must be host:port without a scheme or a path, as 127.0.0.1:8080 or [::]:8080")
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            text[text.index(after: colon)...].allSatisfy(\.isNumber)
        else { throw file.error(key, "must be host:port, as 127.0.0.1:8080 or [::]:8080") }
        let host = text[..<colon]
        guard !host.isEmpty else { throw file.error(key, "must name a host, as 0.0.0.0:8080") }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = String(host.dropFirst().dropLast())
            if inner.contains(":"), IPAddress(inner) != nil { return .init(host: inner, port: Int(port)) }
        } else if host.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9.-]{0,252})/) != nil {
            return .init(host: String(host), port: Int(port))
        }
        throw file.error(key, "\(host) is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080")
    }

    /// No port of TCP may have two listeners, however it is written.
    static func checkApart(
        _ listeners: [(key: ConfigurationKey, listen: ApiConfiguration.Listen)], in file: ConfigurationFile
    )
        throws
    {
        for (place, later) in listeners.enumerated() where later.listen.port != 0 {
            for earlier in listeners[..<place] where earlier.listen.port == later.listen.port {
                guard overlap(earlier.listen.host, later.listen.host) else { continue }
                let other = earlier.key == later.key ? "names" : "and \(earlier.key.rawValue) name"
                throw file.error(
                    later.key,
                    "\(other) the same place twice, \(earlier.listen) and \(later.listen): each needs a port of its own"
                )
            }
        }
    }

    private static func overlap(_ first: String, _ second: String) -> Bool {
        let (first, second) = (addresses(first), addresses(second))
        // A listener on :: takes IPv4 too.
        let isAny = (first + second).contains { !$0.isV4 && $0.isUnspecified }
        if first.isEmpty || second.isEmpty { return false }
        return isAny
            || first.contains { one in
                second.contains { other in
                    one == other || one.isV4 == other.isV4 && (one.isUnspecified || other.isUnspecified)
                }
            }
    }

    /// What a host stands for, in any of the forms that the resolver takes (`127.1`, `0x7f000001`, `localhost`). No server
    /// is asked.
    private static func addresses(_ host: String) -> [IPAddress] {
        if host.lowercased() == "localhost" { return [IPAddress(v4: 0x7f00_0001), IPAddress(high: 0, low: 1)] }
        if let address = IPAddress(host) { return [address] }
        var number = in_addr()
        return inet_aton(host, &number) == 1 ? [IPAddress(v4: UInt32(bigEndian: number.s_addr))] : []
    }
}

extension ApiConfiguration.Listen: CustomStringConvertible {
    /// As it is written in the configuration.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
