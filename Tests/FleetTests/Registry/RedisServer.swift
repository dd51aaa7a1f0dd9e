import Foundation
import TestSupport
import Testing

@testable import Redis

/// Debian's redis-server on a port of loopback, without a disk, for one test. `stop` ends it.
final class RedisServer: Sendable {
    struct DidNotStart: Error {
        let output: String
    }

    let port: UInt16
    private let program: ChildProgram

    var address: RedisAddress { RedisAddress(host: "127.0.0.1", port: port) }

    /// - Parameters:
    ///   - port: nil: a free one.
    ///   - arguments: options of redis-server.
    ///   - isTLS: whether the port speaks TLS; the certificate is among the arguments.
    init(port: UInt16? = nil, _ arguments: [String] = [], isTLS: Bool = false) async throws {
        var attempts = 0
        while true {
            let port = try port ?? Self.freePort()
            do {
                program = try await Self.start(port, arguments, isTLS: isTLS)
                self.port = port
                return
            } catch let failure as DidNotStart {
                // Somebody else took the port.
                attempts += 1
                guard attempts < 5, failure.output.contains("in use") else { throw failure }
            }
        }
    }

    private static func start(_ port: UInt16, _ arguments: [String], isTLS: Bool) async throws -> ChildProgram {
        let ports = isTLS ? ["--port", "0", "--tls-port", "\(port)"] : ["--port", "\(port)"]
        let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", NSTemporaryDirectory()]
        return try await withCheckedThrowingContinuation { continuation in
            // The server dies with this thread, whose end is the server's own or the test process's.
            Thread.detachNewThread { run(options + ports + arguments) { continuation.resume(with: $0) } }
        }
    }

    /// Starts it and reads what it says until it ends. `answer` is called once.
    private static func run(_ arguments: [String], answer: (Result<ChildProgram, any Error>) -> Void) {
        let program: ChildProgram
        do {
            program = try ChildProgram(
                "/usr/bin/setpriv", ["--pdeathsig", "KILL", "/usr/bin/redis-server"] + arguments, readsErrors: true)
        } catch {
            return answer(.failure(error))
        }
        var output = ""
        var isReady = false
        while case let bytes = program.read(), !bytes.isEmpty {
            guard !isReady else { continue }
            output += String(decoding: bytes, as: UTF8.self)
            isReady = output.contains("Ready to accept connections")
            if isReady { answer(.success(program)) }
        }
        if !isReady {
            program.kill()
            answer(.failure(DidNotStart(output: output)))
        }
    }

    /// One that is free now.
    static func freePort() throws -> UInt16 {
        let listener = try Listener()
        defer { listener.stop() }
        return listener.port
    }

    func send(_ signal: Int32) { kill(program.identifier, signal) }

    /// Ends it, also when it is stopped by SIGSTOP, and waits for its end.
    func stop() { program.kill() }
}

/// Runs `body` with a server, and ends it.
func withRedis<Result>(
    _ arguments: [String] = [], isTLS: Bool = false, _ body: (RedisServer) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer(arguments, isTLS: isTLS)
    defer { server.stop() }
    return try await body(server)
}

/// A port of loopback that somebody listens to who is no Redis.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // For accept.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        try #require(isBound)
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Waits for a connection, and closes it.
    func closeNext() throws {
        let accepted = accept(descriptor, nil, nil)
        try #require(accepted >= 0)
        close(accepted)
    }

    func stop() { close(descriptor) }
}
