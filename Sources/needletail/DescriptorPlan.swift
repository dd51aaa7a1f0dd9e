import Foundation
import Logging

/// The descriptors that the process may have, and whom they are for: connections of participants never take those of the
/// node itself and of its `ops` listener.
struct DescriptorPlan: Equatable {
    /// More than anybody uses; where there is no limit, the kernel's number is a thousand times as many.
    static let most = 1_048_576
    /// For files, programs and what libraries open while the node runs.
    static let reserve = 48
    /// For links with other PoPs, where there are any.
    private static let links = 256
    /// For listeners and files that are opened at the start, beside three for the event loop of each core.
    private static let start = 12

    var api: Int
    var ops: Int
    var streams: Int

    /// - Parameters:
    ///   - limit: of the process.
    ///   - used: those that are open now.
    ///   - api, ops, streams: connections that are wanted.
    init(limit: Int, used: Int, api: Int, ops: Int, streams: Int) {
        let free = max(0, limit - used - Self.reserve)
        self.ops = min(ops, max(4, free / 4))
        let rest = max(2, free - self.ops)
        let wanted = api + streams
        guard wanted > rest else {
            (self.api, self.streams) = (api, streams)
            return
        }
        self.streams = streams == 0 ? 0 : max(1, rest * streams / wanted)
        self.api = max(1, rest - self.streams)
    }

    /// Raises the process's limit to what it may have.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, rlim_t(most)))
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// How many the process needs to start at all: its event loops trap without.
    static func least(used: Int, cores: Int) -> Int { used + 3 * cores + start }

    /// The configuration with no more connections than there are descriptors for.
    ///
    /// - Throws: `ConfigurationError` when there are too few to start.
    static func fit(
        _ configuration: NodeConfiguration, logger: Logger
    ) throws(ConfigurationError) -> NodeConfiguration {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        else { return configuration }
        let least = least(used: open, cores: ProcessInfo.processInfo.activeProcessorCount)
        guard limit.rlim_cur >= least else {
            throw ConfigurationError(
                "the limit of open files is \(limit.rlim_cur), and \(least) are needed to start: raise LimitNOFILE (ulimit -Hn)"
            )
        }
        let hasStreams = configuration.turn.map { !($0.control.tcp + $0.control.tls).isEmpty } ?? false
        let api = configuration.api
        // Links with other PoPs are few, and as good as the node's own.
        let links = configuration.fleet?.api.links == nil ? 0 : Self.links
        let streams = hasStreams ? configuration.turn?.control.limits.streams ?? 0 : 0
        let plan = DescriptorPlan(
            limit: Int(clamping: limit.rlim_cur), used: open + links, api: api.connections, ops: api.opsConnections,
            streams: streams)
        var fitted = configuration
        fitted.api.connections = plan.api
        fitted.api.opsConnections = plan.ops
        if hasStreams { fitted.turn?.control.limits.streams = plan.streams }
        if plan.api < api.connections || plan.streams < streams {
            logger.warning(
                "fewer connections than configured, for want of descriptors",
                metadata: [
                    "limit": "\(limit.rlim_cur)", "api.connections": "\(plan.api)",
                    "turn.connections": "\(plan.streams)", "remedy": "raise LimitNOFILE (ulimit -Hn)",
                ])
        }
        return fitted
    }
}
