import Fleet
import Glibc

/// A connection to a Redis that has let us in and is no replica. One thread owns it.
final class RedisConnection {
    let socket: RedisSocket
    private let reader = RedisReplyReader()

    init(_ address: RedisAddress, _ configuration: RedisConfiguration) throws(ConnectionFailure) {
        socket = try Self.open(address, configuration)
        let deadline = ContinuousClock.now + configuration.commandTimeout
        if let password = configuration.password {
            let words = ["AUTH"] + (configuration.user.map { [$0] } ?? []) + [password]
            let reply = try ask(RedisCommand(words.map { Array($0.utf8) }), until: deadline)
            if case .error(let text) = reply { throw ConnectionFailure(reason: text) }
        }
        let role = try ask(RedisCommand("ROLE"), until: deadline)
        switch role {
        // A user who may not ask is told by READONLY.
        case .error(let text) where text.hasPrefix("NOPERM"): break
        case .error(let text): throw ConnectionFailure(reason: text)
        default:
            guard role.elements?.first?.string == "master" else { throw ConnectionFailure(reason: "it is a replica") }
        }
    }

    private static func open(
        _ address: RedisAddress, _ configuration: RedisConfiguration
    ) throws(ConnectionFailure) -> RedisSocket {
        let found = try SocketAddress.resolve(address)
        let deadline = ContinuousClock.now + configuration.connectTimeout
        var failure = ConnectionFailure(reason: "no address of that name")
        for candidate in found {
            do {
                let tls = try configuration.tls.map { (tls) throws(ConnectionFailure) in
                    try TLSClient(tls, serverName: tls.serverName ?? address.host)
                }
                return try RedisSocket(candidate, tls: tls, deadline: deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Before the connection serves calls: sends one command and waits for its answer.
    private func ask(
        _ command: RedisCommand, until deadline: ContinuousClock.Instant
    ) throws(ConnectionFailure) -> RedisReply {
        try socket.append(command.bytes)
        while true {
            try socket.flush()
            if let reply = try nextReply() { return reply }
            try socket.wait(for: Int16(POLLIN) | (socket.hasOutput ? Int16(POLLOUT) : 0), until: deadline)
            try receive()
        }
    }

    func receive() throws(ConnectionFailure) {
        let reader = reader
        try socket.receive { (bytes) throws(RedisReplyReader.Failure) in try reader.feed(bytes) }
    }

    func nextReply() throws(ConnectionFailure) -> RedisReply? {
        do {
            return try reader.next()
        } catch {
            throw ConnectionFailure(reason: error.reason)
        }
    }

    /// Why an error means that this server is not, or no longer, the one to ask.
    static func unfit(_ error: String) -> String? {
        let codes = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "CLUSTERDOWN"]
        guard codes.contains(where: { error.hasPrefix($0) }) else { return nil }
        return error
    }
}
