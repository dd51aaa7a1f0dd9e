import Glibc

/// A TCP connection to Redis, with or without TLS. It blocks only in `init`, until the deadline. One thread owns it.
final class RedisSocket {
    let descriptor: Int32
    private var tls: TLSClient?
    private var output: [UInt8] = []
    private var sent = 0
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Connects to one of the host's addresses, and shakes hands.
    init(_ address: SocketAddress, tls: TLSClient?, deadline: ContinuousClock.Instant) throws(ConnectionFailure) {
        descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw ConnectionFailure(reason: errorText(errno)) }
        self.tls = tls
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        if address.connect(descriptor) != 0 {
            guard errno == EINPROGRESS else { throw ConnectionFailure(reason: errorText(errno)) }
            try wait(for: Int16(POLLOUT), until: deadline)
            var failure: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
            guard failure == 0 else { throw ConnectionFailure(reason: errorText(failure)) }
        }
        guard let tls else { return }
        try shakeHands(tls, until: deadline)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func shakeHands(_ tls: TLSClient, until deadline: ContinuousClock.Instant) throws(ConnectionFailure) {
        while true {
            let outcome = tls.handshake()
            output += tls.takeOutput()
            try? flush()
            switch outcome {
            case .done: return
            case .closed: throw ConnectionFailure(reason: "closed in the TLS handshake")
            case .failed(let reason): throw ConnectionFailure(reason: reason)
            case .needsInput: break
            }
            try wait(for: Int16(POLLIN) | (hasOutput ? Int16(POLLOUT) : 0), until: deadline)
            let count = try receiveBytes()
            if count > 0 { buffer.withUnsafeBytes { tls.receive(.init(rebasing: $0.prefix(count))) } }
        }
    }

    var hasOutput: Bool { sent < output.count }

    /// Puts bytes behind what is still to be sent.
    func append(_ bytes: [UInt8]) throws(ConnectionFailure) {
        guard let tls else {
            output += bytes
            return
        }
        if case .failed(let reason) = bytes.withUnsafeBytes({ tls.write($0) }) {
            throw ConnectionFailure(reason: reason)
        }
        output += tls.takeOutput()
    }

    /// Sends as much as the kernel takes.
    func flush() throws(ConnectionFailure) {
        while sent < output.count {
            let count = output.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EAGAIN { return }
                if errno == EINTR { continue }
                throw ConnectionFailure(reason: errorText(errno))
            }
            sent += count
        }
        output.removeAll(keepingCapacity: output.capacity <= 1 << 20)
        sent = 0
    }

    /// Hands what there is to read to `body`.
    func receive(
        _ body: (UnsafeRawBufferPointer) throws(RedisReplyReader.Failure) -> Void
    ) throws(ConnectionFailure) {
        let count = try receiveBytes()
        guard count > 0 else { return }
        do {
            guard let tls else { return try buffer.withUnsafeBytes { try body(.init(rebasing: $0.prefix(count))) } }
            buffer.withUnsafeBytes { tls.receive(.init(rebasing: $0.prefix(count))) }
            while true {
                let (outcome, plain) = buffer.withUnsafeMutableBytes { tls.read(into: $0) }
                switch outcome {
                case .done: try buffer.withUnsafeBytes { try body(.init(rebasing: $0.prefix(plain))) }
                case .needsInput:
                    output += tls.takeOutput()
                    return
                case .closed: throw ConnectionFailure(reason: "closed by Redis")
                case .failed(let reason): throw ConnectionFailure(reason: reason)
                }
            }
        } catch let failure as RedisReplyReader.Failure {
            throw ConnectionFailure(reason: failure.reason)
        } catch let failure as ConnectionFailure {
            throw failure
        } catch {
            throw ConnectionFailure(reason: "\(error)")
        }
    }

    /// 0: nothing yet.
    private func receiveBytes() throws(ConnectionFailure) -> Int {
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count > 0 { return count }
        if count == 0 { throw ConnectionFailure(reason: "closed by Redis") }
        guard errno == EAGAIN || errno == EINTR else { throw ConnectionFailure(reason: errorText(errno)) }
        return 0
    }

    /// Waits until there is something to do.
    func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws(ConnectionFailure) {
        var wanted = [pollfd(fd: descriptor, events: events, revents: 0)]
        while true {
            let left = milliseconds(until: deadline)
            guard left > 0 else { throw ConnectionFailure(reason: "no answer in time") }
            let found = poll(&wanted, 1, left)
            if found > 0 { return }
            guard found == 0 || errno == EINTR else { throw ConnectionFailure(reason: errorText(errno)) }
        }
    }
}

/// An address to connect to.
struct SocketAddress {
    private var storage: sockaddr_storage
    private let length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    func connect(_ descriptor: Int32) -> Int32 {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
    }

    /// What a host's name stands for, at most 8. It blocks for as long as the system's resolver does.
    static func resolve(_ address: RedisAddress) throws(ConnectionFailure) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0 else { throw ConnectionFailure(reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee, found.count < 8 {
            if let bytes = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size {
                var storage = sockaddr_storage()
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: Int(entry.ai_addrlen)))
                }
                found.append(SocketAddress(storage: storage, length: entry.ai_addrlen))
            }
            next = entry.ai_next
        }
        return found
    }
}

/// Rounded up; 0 when it is past.
func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = deadline - .now
    guard left > .zero else { return 0 }
    return Int32(min(60_000, left / .milliseconds(1) + 1))
}

func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
