import Glibc
import Logging
import NIOCore

/// What a listener does when the process, or the machine, has no descriptor for another connection.
///
/// The connection waits in the kernel's queue, so the listener stays readable and the event loop would turn round it. A
/// spare descriptor is given up for it: it is closed at once, or served where that matters.
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let name: String
    /// Whether connections are served from what is spare, but for the last.
    private let isServed: Bool
    private let spares: SpareDescriptors
    private let logger: Logger
    private var wasTold = false

    private init(_ name: String, isServed: Bool, logger: Logger) {
        self.name = name
        self.isServed = isServed
        self.logger = logger
        spares = SpareDescriptors(isServed ? 8 : 2)
    }

    /// Puts a guard before all that a listener has.
    static func add(to listener: any Channel, _ name: String, isServed: Bool, logger: Logger) async {
        try? await listener.eventLoop.submit {
            let guardian = AcceptGuard(name, isServed: isServed, logger: logger)
            try listener.pipeline.syncOperations.addHandler(guardian, position: .first)
        }.get()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError, [EMFILE, ENFILE].contains(failure.errnoCode), spares.giveUp() else {
            return context.fireErrorCaught(error)
        }
        if !wasTold {
            logger.error(
                "no descriptors left: newcomers are sent away until some are free",
                metadata: ["listener": "\(name)", "remedy": "raise LimitNOFILE, or lower api.connections"])
        }
        wasTold = true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !spares.isWhole else {
            wasTold = false
            return context.fireChannelRead(data)
        }
        let channel = unwrapInboundIn(data)
        let spares = spares
        channel.closeFuture.whenComplete { _ in spares.takeBack() }
        if isServed, spares.count > 0 { return context.fireChannelRead(data) }
        channel.close(promise: nil)
    }
}
