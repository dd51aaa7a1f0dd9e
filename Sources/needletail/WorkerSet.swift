import Dataplane
import Foundation
import Logging
import Mailbox
import Wire

/// The port and its workers as the node owns them.
final class WorkerSet: Sendable {
    let mailboxes: [WorkerMailbox]
    let port: DPDKPort
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
        logger.info("srtp", metadata: ["by": "\(SrtpSupport.description)"])
        mailboxes = (0..<workers).map { _ in WorkerMailbox() }
        mesh = HandoverMesh(workers: workers)
        do {
            threads = try Self.start(configuration, port: port, mailboxes: mailboxes, mesh: mesh, logger: logger)
        } catch {
            port.close()
            throw error
        }
    }

    private static func environment(_ configuration: NodeConfiguration) -> EAL.Configuration {
        let device = configuration.device.prefix { $0 != "," }
        return EAL.Configuration(
            hugepages: configuration.hugepages, memory: configuration.wantedMemory,
            devices: device.hasPrefix("net_") ? [] : [String(device)])
    }

    private static func start(
        _ configuration: NodeConfiguration, port: DPDKPort, mailboxes: [WorkerMailbox], mesh: HandoverMesh,
        logger: Logger
    ) throws -> [WorkerThread] {
        let clock = CycleClock()
        let host = HostConfiguration(
            mac: port.mac, interfaces: configuration.interfaces, gatewayV4: configuration.gatewayV4,
            gatewayV6: configuration.gatewayV6)
        let idle = configuration.idle ?? (port.isKernelBacked ? IdlePolicy() : .poll)
        var threads: [WorkerThread] = []
        do {
            for (number, core) in configuration.cores.enumerated() {
                let worker = WorkerConfiguration(
                    pop: configuration.pop, number: number, capacity: configuration.capacity,
                    mediaPort: configuration.mediaPort, seed: UInt64.random(in: 0 ... .max), ntpEpoch: ntpTime(),
                    cacheAge: UInt64(configuration.retransmissionAge) * 1_000_000,
                    // The other half is for reception and transmission.
                    cacheBudget: configuration.buffers / 2)
                threads.append(
                    try WorkerThread(
                        worker, core: core, idle: idle, mailbox: mailboxes[number], mesh: mesh, port: port, host: host,
                        clock: clock))
                logger.info("worker", metadata: ["number": "\(number)", "core": "\(core)"])
            }
        } catch {
            for thread in threads { thread.stop() }
            throw error
        }
        return threads
    }

    /// Now as 64-bit NTP time (RFC 5905 section 6).
    private static func ntpTime() -> UInt64 {
        // Seconds from 1900 to 1970.
        let seconds = Date().timeIntervalSince1970 + 2_208_988_800
        return UInt64(seconds * 4_294_967_296)
    }

    /// Ends the workers, then the port, which takes its kernel interface along.
    func stop() {
        for thread in threads { thread.stop() }
        mesh.deallocate()
        port.close()
        for mailbox in mailboxes { mailbox.deallocate() }
    }
}
