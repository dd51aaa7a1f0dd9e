import Dataplane
import Foundation
import Logging
import Mailbox
import Wire

/// The port and its workers as the node owns them.
final class WorkerSet: Sendable {
    let mailboxes: [WorkerMailbox]
    let port: DPDKPort
    /// The kernel's interface on the port.
    private let exception: DPDKPort?
    let kernel: KernelInterface?
    private let mesh: HandoverMesh
    private let threads: [WorkerThread]
    private let logger: Logger

    /// Starts DPDK, the port and the workers, or throws one line with the remedy.
    init(_ configuration: NodeConfiguration, logger: Logger) throws {
        self.logger = logger
        let workers = configuration.cores.count
        try EAL.start(Self.environment(configuration))
        logger.info(
            "memory",
            metadata: [
                "hugepages": EAL.usesHugepages ? "yes" : "no: ordinary memory (--no-huge), slower than hugepages"
            ])
        port = try DPDKPort(
            DPDKPort.Configuration(
                device: configuration.device, workers: workers, mtu: configuration.mtu,
                descriptors: configuration.descriptors, buffers: configuration.buffers))
        logger.info("port", metadata: ["is": "\(port.summary)"])
        let steering = port.steer(configuration.turn?.relay, workers: workers)
        if steering != .needless { logger.info("relayed ports", metadata: ["brought to their workers": "\(steering)"]) }
        logger.info("srtp", metadata: ["by": "\(SRTPSupport.description)"])
        (exception, kernel) = try Self.exceptionPath(configuration, port: port, logger: logger)
        mailboxes = (0..<workers).map { _ in WorkerMailbox(bells: true) }
        mesh = HandoverMesh(workers: workers)
        do {
            try kernel?.setUp()
            threads = try Self.start(
                configuration, port: port, exception: exception, mailboxes: mailboxes, mesh: mesh, logger: logger)
        } catch {
            exception?.unplug()
            port.close()
            exception?.close()
            kernel?.forgetRules()
            throw error
        }
    }

    private static func environment(_ configuration: NodeConfiguration) -> EAL.Configuration {
        let device = DPDKPort.Configuration(device: configuration.device)
        return EAL.Configuration(
            hugepages: configuration.hugepages, memory: configuration.wantedMemory,
            devices: device.isVirtual ? [] : [device.name])
    }

    private static func start(
        _ configuration: NodeConfiguration, port: DPDKPort, exception: DPDKPort?, mailboxes: [WorkerMailbox],
        mesh: HandoverMesh,
        logger: Logger
    ) throws -> [WorkerThread] {
        let clock = CycleClock()
        let host = HostConfiguration(
            mac: port.mac, interfaces: configuration.interfaces, gatewayV4: configuration.gatewayV4,
            gatewayV6: configuration.gatewayV6, anycast: configuration.network.anycast)
        let idle = port.isKernelBacked ? configuration.idle.ofKernelPorts : configuration.idle.ofNICs
        var threads: [WorkerThread] = []
        do {
            for (number, core) in configuration.cores.enumerated() {
                let worker = WorkerConfiguration(
                    pop: configuration.pop, number: number, capacity: configuration.capacity,
                    mediaPort: configuration.mediaPort, seed: UInt64.random(in: 0 ... .max), ntpEpoch: ntpTime(),
                    cacheAge: UInt64(configuration.retransmissionAge) * 1_000_000,
                    // The other half is for reception and transmission.
                    cacheBudget: configuration.buffers / 2, relay: configuration.turn?.relay,
                    exceptionRate: exception == nil
                        ? 0 : max(1, configuration.network.exceptionRate / configuration.cores.count))
                threads.append(
                    try WorkerThread(
                        worker, core: core, idle: idle, mailbox: mailboxes[number], mesh: mesh, port: port, host: host,
                        clock: clock, exception: exception))
                logger.info("worker", metadata: ["number": "\(number)", "core": "\(core)"])
            }
        } catch {
            for thread in threads { thread.stop() }
            throw error
        }
        return threads
    }

    /// Makes the kernel's interface, if there is to be one, and what is to be told to the kernel about it.
    private static func exceptionPath(
        _ configuration: NodeConfiguration, port: DPDKPort, logger: Logger
    ) throws -> (DPDKPort?, KernelInterface?) {
        guard let text = configuration.network.exception, let name = configuration.network.exceptionInterface else {
            return (nil, nil)
        }
        do {
            let made = try DPDKPort(ExceptionPort.configuration(text, mac: port.mac, mtu: configuration.mtu))
            logger.info("exception path", metadata: ["interface": "\(name)", "driver": "\(made.driver)"])
            let kernel = KernelInterface(
                name: name, mac: port.mac, mtu: configuration.mtu, interfaces: configuration.interfaces,
                anycast: configuration.network.anycast,
                gateways: [configuration.gatewayV4, configuration.gatewayV6].compactMap { $0 })
            return (made, kernel)
        } catch {
            port.close()
            throw error
        }
    }

    /// Now as 64-bit NTP time (RFC 5905 section 6).
    private static func ntpTime() -> UInt64 {
        ntpTime(Date().timeIntervalSince1970)
    }

    /// A moment of Unix time, s. Eras follow each other from 2036 on: the upper part wraps.
    static func ntpTime(_ seconds: Double) -> UInt64 {
        let whole = seconds.rounded(.down)
        // Seconds from 1900 to 1970.
        return UInt64(truncatingIfNeeded: Int64(whole) &+ 2_208_988_800) << 32
            | UInt64((seconds - whole) * 4_294_967_295)
    }

    /// Ends the workers, then the port, which takes its kernel interface along.
    func stop() {
        for thread in threads { thread.stop() }
        mesh.deallocate()
        // Each may hold the other's packet buffers until it is unplugged.
        exception?.unplug()
        port.close()
        exception?.close()
        kernel?.forgetRules()
        for mailbox in mailboxes { mailbox.deallocate() }
    }
}
