import Api
import Foundation
import Wire

/// What of the machine is this node's alone, taken before anything is changed: the port, the kernel's interface on it, and the
/// addresses of the listeners. A second start, by mistake or beside a node of another configuration, ends here.
///
/// The locks are names of sockets in the abstract space (unix(7)): those of a network namespace, as the things are that they
/// stand for, and gone with the process however it ends.
final class Claim {
    private var descriptors: [Int32] = []

    /// Throws one line that says who has it.
    init(_ configuration: NodeConfiguration) throws {
        do {
            for name in Self.names(configuration) {
                descriptors.append(try Self.lock(name) { ConfigurationError("\(name): \($0)") })
            }
            for (key, listen) in configuration.listeners where listen.port != 0 {
                let isFree = Self.comes(listen, configuration)
                descriptors += try Self.reserve(listen, key: key, isFree: isFree)
            }
        } catch {
            release()
            throw error
        }
    }

    deinit { release() }

    func release() {
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
    }

    /// What is locked: the port by its interface or address, and the routing table of the exception path, of which there is
    /// one.
    static func names(_ configuration: NodeConfiguration) -> [String] {
        let parts = configuration.device.split(separator: ",")
        let interface = parts.first { $0.hasPrefix("iface=") }?.dropFirst("iface=".count)
        let address = parts.first.flatMap { $0.contains(":") ? $0 : nil }
        var names = [interface ?? address].compactMap { $0.map { "port.device \($0)" } }
        if configuration.network.exception != nil { names.append("port.exception") }
        return names
    }

    // MARK: locks

    /// - Parameter failure: what is thrown, of the reason.
    private static func lock(_ name: String, _ failure: (String) -> any Error) throws -> Int32 {
        let handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard handle >= 0 else { throw failure("cannot be locked: \(message())") }
        let bound = address("needletail \(name)") { Glibc.bind(handle, $0, $1) }
        // Who asks is told who listens.
        if bound == 0, listen(handle, 128) == 0 { return handle }
        let error = errno
        close(handle)
        guard error == EADDRINUSE else { throw failure("cannot be locked: \(message(error))") }
        // A process of another container has no number here.
        let holder = holder(of: name).map { "process \($0)" } ?? "another process"
        throw failure("a node that runs has it (\(holder)): end that one first")
    }

    private static func holder(of name: String) -> pid_t? {
        let handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        guard address("needletail \(name)", { connect(handle, $0, $1) }) == 0 else { return nil }
        // Its process, user and group (struct ucred).
        var peer: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout<(pid_t, uid_t, gid_t)>.size)
        guard getsockopt(handle, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0, peer.0 > 0 else { return nil }
        return peer.0
    }

    /// A name in the abstract space begins with a zero byte.
    private static func address(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + name.utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    // MARK: listeners

    /// Whether the address is one that the kernel gets with the exception interface.
    private static func comes(_ listen: ApiConfiguration.Listen, _ configuration: NodeConfiguration) -> Bool {
        guard configuration.network.exception != nil, let address = IPAddress(listen.host) else { return false }
        return (configuration.interfaces.map(\.address) + configuration.network.anycast).contains(address)
    }

    /// Binds the address, which keeps other programs from it and not the listener that comes: nobody listens yet. Another node
    /// that starts at the same time is kept from it by a lock.
    ///
    /// - Parameter isFree: no interface needs to have the address.
    private static func reserve(_ listen: ApiConfiguration.Listen, key: ConfigurationKey, isFree: Bool) throws
        -> [Int32]
    {
        func failure(_ why: String) -> ListenFailure { ListenFailure(key, listen, why) }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let error = getaddrinfo(listen.host, String(listen.port), &hints, &found)
        guard error == 0, let place = found else { throw failure(String(cString: gai_strerror(error))) }
        defer { freeaddrinfo(found) }
        let lock = try lock("listener \(numeric(place.pointee)) port \(listen.port)", failure)
        let handle = socket(place.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard handle >= 0 else {
            defer { close(lock) }
            throw failure(message())
        }
        var on: Int32 = 1
        _ = setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        if isFree {
            let isV4 = place.pointee.ai_family == AF_INET
            // IP_FREEBIND 15, IPV6_FREEBIND 78 (linux/in.h, linux/in6.h)
            _ = setsockopt(handle, Int32(isV4 ? IPPROTO_IP : Int(IPPROTO_IPV6)), isV4 ? 15 : 78, &on, 4)
        }
        guard bind(handle, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 else {
            let why = message()
            close(handle)
            close(lock)
            throw failure(why)
        }
        return [lock, handle]
    }

    /// The address, in one spelling.
    private static func numeric(_ place: addrinfo) -> String {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let size = socklen_t(text.count)
        guard getnameinfo(place.ai_addr, place.ai_addrlen, &text, size, nil, 0, NI_NUMERICHOST) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func message(_ error: Int32 = errno) -> String { String(cString: strerror(error)) }
}
