import Glibc
import Logging
import NIOCore

/// What a listener does when the process, or the machine, is short of descriptors.
///
/// The last ones are not for connections: libdispatch ends a process in which it cannot open a file (it reads the state of
/// its threads in `/proc` now and then). A connection that takes one of them is closed at once. Where there is none at all, it
/// waits in the kernel's queue, the listener stays readable and the event loop would turn round it: a spare descriptor is
/// given up for it.
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// Descriptors that no connection takes; so many more must be free before the log has it again.
    private static let last = (api: 24, ops: 8)
    private static let relief = 16

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
        tell()
    }

    private func tell() {
        if !wasTold {
            logger.error(
                "no descriptors left: newcomers are sent away until some are free",
                metadata: ["listener": "\(name)", "remedy": "raise LimitNOFILE, or lower api.connections"])
        }
        wasTold = true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let free = Self.free
        let isScarce = free < (isServed ? Self.last.ops : Self.last.api)
        guard !spares.isWhole || isScarce else {
            if free >= Self.last.api + Self.relief { wasTold = false }
            return context.fireChannelRead(data)
        }
        tell()
        let channel = unwrapInboundIn(data)
        let spares = spares
        channel.closeFuture.whenComplete { _ in spares.takeBack() }
        if isServed, !isScarce, spares.count > 0 { return context.fireChannelRead(data) }
        channel.close(promise: nil)
    }

    /// At least so many descriptors are free: the kernel gives the lowest number that nobody has.
    private static var free: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
        guard lowest >= 0 else { return errno == EBADF ? .max : 0 }
        close(lowest)
        return Int(clamping: limit.rlim_cur) - Int(lowest)
    }
}
