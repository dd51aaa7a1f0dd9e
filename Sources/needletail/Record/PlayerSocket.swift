import Glibc
import Wire

/// A UDP socket to one address. One thread owns it.
final class PlayerSocket {
    /// It cannot be made, or nothing can be sent from it.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    private static let room = 2_048
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)

    /// Connected to the first of the addresses that there is a way to.
    init(to candidates: [Endpoint]) throws {
        for candidate in candidates {
            if let descriptor = Self.connected(to: candidate) {
                self.descriptor = descriptor
                return
            }
        }
        let names = candidates.map { "\($0.address) port \($0.port)" }.joined(separator: ", ")
        throw Failure(description: "no way to \(names)")
    }

    deinit {
        Glibc.close(descriptor)
        memory.deallocate()
    }

    private static func connected(to endpoint: Endpoint) -> Int32? {
        let family = endpoint.address.isV4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { return nil }
        // A keyframe comes in one burst; the kernel gives as much as it may.
        var room: Int32 = 2 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        guard connect(descriptor, to: endpoint) else {
            Glibc.close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func connect(_ descriptor: Int32, to endpoint: Endpoint) -> Bool {
        if endpoint.address.isV4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = endpoint.port.bigEndian
            address.sin_addr.s_addr = endpoint.address.v4.bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = endpoint.port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { endpoint.address.storeV6(to: $0.baseAddress!) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }

    /// What is lost on the way is lost.
    func send(_ datagram: [UInt8]) {
        _ = datagram.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Hands on the datagrams that are there, at most `limit` of them.
    func receive(limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        for _ in 0..<limit {
            let count = recv(descriptor, memory.baseAddress, memory.count, 0)
            // An error of ICMP is like a loss: consent tells.
            guard count > 0 else {
                if count < 0, errno == ECONNREFUSED || errno == EINTR { continue }
                return
            }
            body(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        }
    }
}

/// Brings a socket to the thread that is to own it.
final class PlayerSocketBox: @unchecked Sendable {
    private var socket: PlayerSocket?

    init(to candidates: [Endpoint]) throws { socket = try PlayerSocket(to: candidates) }

    /// Once, on that thread.
    func take() -> PlayerSocket {
        defer { socket = nil }
        return socket.unsafelyUnwrapped
    }
}
