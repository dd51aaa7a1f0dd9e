import CDPDK
import Glibc
import Wire

/// The steps of bringing up an ethdev: probe, plan by its capabilities, configure, start, remove.
struct EthernetDevice {
    /// What the device will be asked to do.
    struct Plan: Equatable {
        var queues: Int
        var spreadsFlows: Bool
        var offload: ChecksumOffload
        /// The RSS hash types in use, ethdev's bits.
        var rss: UInt64
    }

    let id: UInt16

    init(id: UInt16) { self.id = id }

    /// Finds the device, probing a virtual one with its arguments.
    init(probing configuration: DPDKPort.Configuration) throws(PortFailure) {
        let name = configuration.name
        guard configuration.workers > 0 else {
            throw PortFailure("port \(name): at least one worker is needed")
        }
        var id: UInt16 = 0
        if rte_eth_dev_get_port_by_name(name, &id) != 0 {
            let arguments = try DeviceArguments(configuration.device).completed(
                workers: configuration.workers)
            let result = rte_dev_probe(arguments)
            guard result == 0, rte_eth_dev_get_port_by_name(name, &id) == 0 else {
                throw PortFailure(Self.remedy(for: result, name: name))
            }
        }
        self.id = id
    }

    /// Drivers answer most failures with -1, which says nothing.
    private static func remedy(for result: Int32, name: String) -> String {
        if !name.hasPrefix("net_") {
            return "port \(name) is not bound to a driver of DPDK: see `dpdk-devbind.py --status`"
        }
        if geteuid() != 0 {
            return "port \(name) is not to be had: run as root or give CAP_NET_ADMIN and CAP_NET_RAW"
        }
        if result == -EEXIST { return "port \(name) is in use in this process: give it another number" }
        if result == -EFAULT {
            return
                "port \(name): no driver has this name; see its spelling and that the driver's package is installed"
        }
        if name.hasPrefix("net_af_xdp") {
            return
                "port \(name) did not start: see that nobody else uses its interface, and give it one queue unless "
                + "`ethtool -l` shows combined channels (veth has none)"
        }
        return
            "port \(name) did not start: see its arguments, and that nobody else uses its kernel interface"
    }

    var driver: String { withInfo { String(cString: $0.driver_name) } ?? "unknown" }

    /// The NUMA node.
    var socket: Int? {
        let socket = rte_eth_dev_socket_id(id)
        return socket < 0 ? nil : Int(socket)
    }

    /// The largest IP packet that it sends, bytes; nil when it does not say.
    var mtu: Int? {
        var mtu: UInt16 = 0
        return rte_eth_dev_get_mtu(id, &mtu) == 0 && mtu > 0 ? Int(mtu) : nil
    }

    /// The device's address; for a TAP, whose kernel side has that one, the address that differs in the last bit.
    var mac: MACAddress {
        var raw = rte_ether_addr()
        guard rte_eth_macaddr_get(id, &raw) == 0 else { return .zero }
        let mac = withUnsafeBytes(of: raw) { MACAddress(load: $0.baseAddress!) }
        return driver == "net_tap" ? MACAddress(mac.bits ^ 1) : mac
    }

    func plan(for configuration: DPDKPort.Configuration) throws(PortFailure) -> Plan {
        guard let info = withInfo({ $0 }) else {
            throw PortFailure(
                "port \(configuration.name) does not tell what it can do: its driver is not usable")
        }
        guard configuration.mtu >= 576, configuration.mtu <= 1_500,
            configuration.mtu <= Int(info.max_mtu)
        else {
            throw PortFailure(
                "port \(configuration.name): an MTU of \(configuration.mtu) is outside 576 to "
                    + "\(min(1_500, Int(info.max_mtu))); configure one inside")
        }
        let queues = min(configuration.workers, Int(min(info.max_rx_queues, info.max_tx_queues)))
        guard queues > 0 else {
            throw PortFailure("port \(configuration.name) offers no queue: choose another")
        }
        // The fanout group spreads packets over all its AF_PACKET sockets, also over those that nobody reads.
        if String(cString: info.driver_name) == "net_af_packet", Int(info.max_rx_queues) > queues {
            throw PortFailure(
                "port \(configuration.name): qpairs=\(info.max_rx_queues) for \(configuration.workers) workers would "
                    + "lose packets; leave qpairs away")
        }
        let rss = queues > 1 ? info.flow_type_rss_offloads & port_rss_ip_udp : 0
        let kernelSpreads = ["net_af_packet", "net_tap", "net_af_xdp"].contains(
            String(cString: info.driver_name))
        return Plan(
            queues: queues, spreadsFlows: queues > 1 && (rss != 0 || kernelSpreads),
            offload: ChecksumOffload(
                ipv4Header: info.tx_offload_capa & port_tx_ipv4_cksum != 0,
                udp: info.tx_offload_capa & port_tx_udp_cksum != 0), rss: rss)
    }

    func start(_ plan: Plan, configuration: DPDKPort.Configuration, pools: [BufferPool])
        throws(PortFailure)
    {
        var settings = rte_eth_conf()
        settings.rxmode.mtu = UInt32(configuration.mtu)
        if plan.rss != 0 {
            settings.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS
            settings.rx_adv_conf.rss_conf.rss_hf = plan.rss
        }
        if plan.offload.ipv4Header { settings.txmode.offloads |= port_tx_ipv4_cksum }
        if plan.offload.udp { settings.txmode.offloads |= port_tx_udp_cksum }
        let queues = UInt16(plan.queues)
        try check("take its configuration", configuration, rte_eth_dev_configure(id, queues, queues, &settings))
        try setUpQueues(plan, configuration: configuration, pools: pools)
        try setMTU(configuration)
        try check("start", configuration, rte_eth_dev_start(id))
        // Only frames to us and to groups: neighbour discovery needs the solicited-node groups. Devices without
        // filters refuse, and show us everything.
        _ = rte_eth_promiscuous_disable(id)
        _ = rte_eth_allmulticast_enable(id)
        _ = rte_eth_dev_set_link_up(id)
    }

    private func setUpQueues(
        _ plan: Plan, configuration: DPDKPort.Configuration, pools: [BufferPool]
    ) throws(PortFailure) {
        var receive = UInt16(clamping: configuration.descriptors)
        var transmit = receive
        try check(
            "take its rings' size", configuration,
            rte_eth_dev_adjust_nb_rx_tx_desc(id, &receive, &transmit))
        let socket = UInt32(bitPattern: rte_eth_dev_socket_id(id))
        for queue in 0..<plan.queues {
            let result = rte_eth_rx_queue_setup(id, UInt16(queue), receive, socket, nil, pools[queue].raw)
            try check("set up a receive queue", configuration, result)
        }
        for queue in 0..<plan.queues {
            try check(
                "set up a transmit queue", configuration,
                rte_eth_tx_queue_setup(id, UInt16(queue), transmit, socket, nil))
        }
    }

    private func setMTU(_ configuration: DPDKPort.Configuration) throws(PortFailure) {
        var current: UInt16 = 0
        if rte_eth_dev_get_mtu(id, &current) == 0, Int(current) == configuration.mtu { return }
        let result = rte_eth_dev_set_mtu(id, UInt16(configuration.mtu))
        if result != -ENOTSUP { try check("take the MTU", configuration, result) }
    }

    /// Stops, closes and unplugs the device.
    func remove() {
        guard rte_eth_dev_is_valid_port(id) != 0 else { return }
        let device = withInfo { $0.device } ?? nil
        port_forget_rules(id)
        rte_eth_dev_stop(id)
        rte_eth_dev_close(id)
        if let device { rte_dev_remove(device) }
    }

    private func withInfo<Result>(_ body: (rte_eth_dev_info) -> Result) -> Result? {
        var info = rte_eth_dev_info()
        return rte_eth_dev_info_get(id, &info) == 0 ? body(info) : nil
    }

    private func check(
        _ step: String, _ configuration: DPDKPort.Configuration, _ result: Int32
    ) throws(PortFailure) {
        guard result != 0 else { return }
        throw PortFailure(
            "port \(configuration.name) did not \(step) (\(EAL.message(of: result))): see that nobody else uses it, "
                + "lower workers, descriptors or buffers, or set the log level of DPDK to 7")
    }
}
