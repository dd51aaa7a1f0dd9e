import Api
import Logging
import ServiceLifecycle
import Synchronization

/// Looks at the kernel's end of the exception path each second, and mends what somebody else broke.
final class KernelGuard: Service {
    private let kernel: KernelInterface
    private let logger: Logger
    /// What is wrong now; nil: nothing.
    private let fault = Mutex<String?>(nil)

    init(_ kernel: KernelInterface, logger: Logger) {
        self.kernel = kernel
        self.logger = logger
    }

    var condition: ReadinessCondition {
        let fault = fault.withLock { $0 }
        return ReadinessCondition(
            name: "exception", isMet: fault == nil,
            detail: fault ?? "\(kernel.name) is up with its addresses, routes and rules")
    }

    func run() async {
        let clock = SystemClock()
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                look()
                // A cancelled sleep ends at once, and the loop with it.
                try? await clock.sleep(for: .seconds(1))
            }
        }
    }

    /// One look.
    private func look() {
        // A kernel that does not say is no news.
        guard let before = KernelState(of: kernel.name, table: KernelInterface.table) else { return }
        guard let broken = kernel.fault(in: before) else { return fault.withLock { $0 = nil } }
        var left = broken
        if before.exists {
            do {
                try kernel.setUp()
                guard let after = KernelState(of: kernel.name, table: KernelInterface.table),
                    let rest = kernel.fault(in: after)
                else {
                    logger.warning("exception interface mended", metadata: ["it was": "\(broken)"])
                    return fault.withLock { $0 = nil }
                }
                left = rest
            } catch {
                left = "\(broken); \(error)"
            }
        }
        let isNew = fault.withLock { fault in
            defer { fault = left }
            return fault != left
        }
        if isNew { logger.error("exception interface broken", metadata: ["why": "\(left)"]) }
    }
}
