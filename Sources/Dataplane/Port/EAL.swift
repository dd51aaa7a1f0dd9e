import CDPDK
import Glibc
import Synchronization

/// DPDK's environment abstraction layer, started once per process before any port or pool.
///
/// Threads and cores are ours (`PinnedThread`): EAL gets one lcore that floats over the process's cores, and no
/// telemetry, no shared files and no secondary processes.
public enum EAL {
    /// Where the packet buffers' memory comes from.
    public enum Hugepages: Sendable, Equatable {
        /// Hugepages when enough are free, ordinary memory otherwise.
        case automatic
        /// Hugepages, or an error.
        case required
        /// Ordinary memory.
        case never
    }

    public struct Configuration: Sendable, Equatable {
        public var hugepages: Hugepages
        /// Memory for pools, device rings and tables of DPDK, MiB.
        public var memory: Int
        /// PCI addresses (`0000:01:00.0`) that may be probed; with none, the PCI bus is left alone.
        public var devices: [String]
        /// A folder of drivers beside that of the package.
        public var drivers: String?
        /// The least severe level that DPDK logs: emergency 1, error 4, warning 5, notice 6, info 7, debug 8.
        public var logLevel: Int
        /// Separates runtime files and hugepages of several processes; nil takes the process id.
        public var filePrefix: String?

        public init(
            hugepages: Hugepages = .automatic, memory: Int = 512, devices: [String] = [],
            drivers: String? = nil,
            logLevel: Int = 5, filePrefix: String? = nil
        ) {
            self.hugepages = hugepages
            self.memory = memory
            self.devices = devices
            self.drivers = drivers
            self.logLevel = logLevel
            self.filePrefix = filePrefix
        }
    }

    private enum State {
        case stopped
        case started(hugepages: Bool)
        /// DPDK cannot be started twice in a process, and not again after a failure.
        case failed(PortFailure)
    }

    private static let state = Mutex(State.stopped)

    /// Starts DPDK; a second call does nothing. Call from the thread that started the process or any other.
    public static func start(_ configuration: Configuration = Configuration()) throws(PortFailure) {
        let result = state.withLock { state -> Result<Void, PortFailure> in
            switch state {
            case .started: return .success(())
            case .failed(let failure): return .failure(failure)
            case .stopped: break
            }
            do throws(PortFailure) {
                state = .started(hugepages: try initialize(configuration))
                return .success(())
            } catch {
                state = .failed(error)
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Whether packet buffers lie in hugepages; false before the start.
    public static var usesHugepages: Bool {
        state.withLock { if case .started(let hugepages) = $0 { hugepages } else { false } }
    }

    /// `DPDK 22.11.11`
    public static var version: String { String(cString: rte_version()) }

    /// Gives hugepages and runtime files back. Ports and pools must be closed; nothing of DPDK works afterwards.
    public static func stop() {
        state.withLock { state in
            guard case .started = state else { return }
            rte_eal_cleanup()
            state = .failed(PortFailure("DPDK was stopped: start the process again"))
        }
    }

    /// What an errno of DPDK means.
    static func message(of error: Int32) -> String { String(cString: rte_strerror(abs(error))) }
}
