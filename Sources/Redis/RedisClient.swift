import Fleet
import Foundation
import Logging

/// Speaks to the first of several Redis servers that is no replica, on a thread of its own: callers wait for answers, never
/// for a socket. A call fails at once while there is no connection, and soon where there is no answer.
public final class RedisClient: Sendable {
    private let queue = RedisQueue()
    private let timeout: Duration

    /// - Parameters:
    ///   - generator: spreads the attempts to connect.
    ///   - onChange: called on the client's thread when there is a connection, and when there is none any more; it must not
    ///     block.
    public init(
        _ configuration: RedisConfiguration, logger: Logger,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onChange: @escaping @Sendable (_ isUp: Bool) -> Void = { _ in }
    ) {
        timeout = configuration.commandTimeout
        let queue = queue
        let thread = Thread {
            // Made here: it is this thread's alone.
            let loop = RedisLoop(
                configuration, queue: queue, logger: logger, generator: generator, onChange: onChange)
            loop.run()
        }
        thread.name = "redis"
        thread.start()
    }

    deinit { queue.stop() }

    public var isUp: Bool { queue.isUp }

    /// Ends the thread; what waits fails.
    public func stop() { queue.stop() }

    func call(_ command: RedisCommand) async throws(RegistryError) -> RedisReply {
        let deadline = ContinuousClock.now + timeout
        let result = await withCheckedContinuation { continuation in
            queue.add(.init(command: command, deadline: deadline) { continuation.resume(returning: $0) })
        }
        let reply = try result.get()
        guard case .error(let text) = reply else { return reply }
        throw .refused(text)
    }
}
