import NIOCore
import NIOPosix

/// Turns protocols of BIRD 2 on and off through its control socket, as `birdc` does.
struct BirdControl: Sendable {
    /// `/run/bird/bird.ctl`
    let socket: String
    /// Static protocols with the service prefixes, by the level at which they are on.
    let preferred: [String]
    let reserve: [String]

    /// Brings BIRD to `level`. What it has already is left as it is, so this may be called again and again. What is to
    /// come is turned on before the other is turned off: the prefixes are never without a route in between.
    func apply(_ level: AnnouncementPolicy.Level) async throws {
        let on = level == .preferred ? preferred : level == .reserve ? reserve : []
        let off = (preferred + reserve).filter { !on.contains($0) }
        try await send(on.map { "enable \($0)" } + off.map { "disable \($0)" })
    }

    private func send(_ commands: [String]) async throws {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.milliseconds(500))
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var replies = inbound.makeAsyncIterator()
            var buffer = ByteBuffer()
            func reply() async throws -> BirdReply {
                while true {
                    if let reply = try BirdReply.take(from: &buffer) { return reply }
                    guard var more = try await replies.next() else { throw BirdFailure("it closed the socket") }
                    buffer.writeBuffer(&more)
                }
            }
            _ = try await reply()  // its greeting
            for command in commands {
                try await outbound.write(ByteBuffer(string: command + "\n"))
                let reply = try await reply()
                if reply.isError { throw BirdFailure("\(command): \(reply.text)") }
            }
        }
    }
}
