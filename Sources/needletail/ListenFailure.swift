import Api
import Foundation
import NIOCore
import NIOPosix

/// Why the node cannot listen, in one line. The server's error does not say on which address: it is found by trying.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    init(_ api: ApiConfiguration, _ error: IOError) async {
        var (keys, listeners) = (["api.listen", "ops.listen"], [api.api, api.ops])
        for (key, listen) in zip(keys, listeners) where await !Self.canBind(listen) {
            (keys, listeners) = ([key], [listen])
            break
        }
        let places = listeners.map { "\($0.host) port \($0.port)" }.joined(separator: " or ")
        description =
            "cannot listen on \(places): \(String(cString: strerror(error.errnoCode))): choose another "
            + "\(keys.joined(separator: " or ")), or end the program that has it"
    }

    private static func canBind(_ listen: ApiConfiguration.Listen) async -> Bool {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        guard let channel = try? await bootstrap.bind(host: listen.host, port: listen.port).get() else { return false }
        try? await channel.close()
        return true
    }
}
