import Glibc

/// The arguments of a virtual device, as `net_af_xdp0,iface=eth0`.
struct DeviceArguments {
    let text: String
    let name: String
    private let values: [String: String]

    init(_ text: String) {
        self.text = text
        let parts = text.split(separator: ",")
        name = parts.first.map(String.init) ?? ""
        values = parts.dropFirst().reduce(into: [:]) { values, part in
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { values[String(pair[0])] = String(pair[1]) }
        }
    }

    subscript(key: String) -> String? { values[key] }

    /// Adds the number of queues where the operator left it open, for drivers on an interface of the kernel, which must
    /// exist: a queue that nobody reads loses its share of the packets.
    func completed(workers: Int) throws(PortFailure) -> String {
        guard name.hasPrefix("net_af_packet") || name.hasPrefix("net_af_xdp") else { return text }
        guard let interface = self["iface"] else {
            throw PortFailure("port \(name) needs an interface: write \(name),iface=NAME")
        }
        let queues = Self.receiveQueues(of: interface)
        guard queues > 0 else { throw PortFailure("port \(name): there is no interface \(interface)") }
        if name.hasPrefix("net_af_packet") {
            return self["qpairs"] == nil ? "\(text),qpairs=\(workers)" : text
        }
        if self["queue_count"] != nil || self["start_queue"] != nil { return text }
        guard queues <= workers else {
            throw PortFailure(
                "port \(name): \(interface) has \(queues) queues for \(workers) workers and would lose packets: "
                    + "`ethtool -L \(interface) combined \(workers)`")
        }
        return "\(text),queue_count=\(queues)"
    }

    /// The receive queues of a kernel interface of this network namespace; 0 when there is none of that name.
    static func receiveQueues(of interface: String) -> Int {
        guard !interface.contains("/"), let folder = opendir("/sys/class/net/\(interface)/queues")
        else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            let isReceive = withUnsafeBytes(of: entry.pointee.d_name) { $0.starts(with: "rx-".utf8) }
            if isReceive { count += 1 }
        }
        return count
    }
}
