import CPacketSocket
import Glibc

/// The steps of opening packet sockets on an interface of the kernel.
enum PacketSocket {
    /// A socket that only sends, each message behind a `virtio_net_hdr`.
    static func openSender(on interface: Int32, buffer: Int32, port: String) throws(PortFailure) -> Int32 {
        let handle = try open(port)
        do throws(PortFailure) {
            try set(handle, PACKET_VNET_HDR, to: Int32(1), port)
            try check(packet_socket_bind(handle, interface, 0), port)
        } catch {
            close(handle)
            throw error
        }
        // Beyond the system's limit with CAP_NET_ADMIN, else up to it.
        if !set(handle, SOL_SOCKET, SO_SNDBUFFORCE, to: buffer) { _ = set(handle, SOL_SOCKET, SO_SNDBUF, to: buffer) }
        return handle
    }

    /// A socket that takes all frames that come in into a ring of at least `places`; what the host sends is not shown.
    static func openReceiver(on interface: Int32, places: Int, port: String) throws(PortFailure) -> ReceiveRing {
        let handle = try open(port)
        do throws(PortFailure) {
            try set(handle, PACKET_VERSION, to: Int32(TPACKET_V2.rawValue), port)
            try set(handle, PACKET_VNET_HDR, to: Int32(1), port)
            try set(handle, PACKET_IGNORE_OUTGOING, to: Int32(1), port)
            // What does not fit into a place of the ring is kept whole besides, up to the receive buffer's size.
            try set(handle, PACKET_COPY_THRESH, to: Int32(1), port)
            // Neighbour discovery needs the solicited-node groups.
            var membership = packet_mreq()
            membership.mr_ifindex = interface
            membership.mr_type = UInt16(PACKET_MR_ALLMULTI)
            try set(handle, PACKET_ADD_MEMBERSHIP, to: membership, port)
            let slots = try makeRing(handle, places: places, port: port)
            try check(packet_socket_bind(handle, interface, allProtocols), port)
            let memory = mmap(
                nil, slots * ReceiveRing.slotSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, handle, 0)
            guard let memory, memory != MAP_FAILED else { throw PortFailure(noMemory(port)) }
            return ReceiveRing(handle: handle, base: memory, slots: slots)
        } catch {
            close(handle)
            throw error
        }
    }

    private static func noMemory(_ port: String) -> String {
        "port \(port): the kernel has no memory for its ring: lower port.descriptors"
    }

    /// ETH_P_ALL.
    private static let allProtocols: UInt16 = 3

    /// How many places the kernel made.
    private static func makeRing(_ handle: Int32, places: Int, port: String) throws(PortFailure) -> Int {
        let perBlock = ReceiveRing.blockSize / ReceiveRing.slotSize
        let blocks = (places + perBlock - 1) / perBlock
        let request = tpacket_req(
            tp_block_size: UInt32(ReceiveRing.blockSize), tp_block_nr: UInt32(blocks),
            tp_frame_size: UInt32(ReceiveRing.slotSize), tp_frame_nr: UInt32(blocks * perBlock))
        try set(handle, PACKET_RX_RING, to: request, port)
        return blocks * perBlock
    }

    /// Has the sockets of a group share what comes in by a hash of addresses and ports. Nil makes a group; it is answered.
    static func spread(_ handle: Int32, _ group: UInt16?, port: String) throws(PortFailure) -> UInt16 {
        // The group's number, and above it how it spreads.
        let flags =
            PACKET_FANOUT_HASH | packet_fanout_flag_ignore_outgoing | (group == nil ? PACKET_FANOUT_FLAG_UNIQUEID : 0)
        try set(handle, PACKET_FANOUT, to: UInt32(flags) << 16 | UInt32(group ?? 0), port)
        if let group { return group }
        var made: UInt32 = 0
        var length = socklen_t(4)
        guard getsockopt(handle, SOL_PACKET, PACKET_FANOUT, &made, &length) == 0 else {
            throw PortFailure("port \(port): packet sockets do not share their interface: configure one worker")
        }
        return UInt16(truncatingIfNeeded: made)
    }

    /// Frames that the kernel dropped since the last call because the ring was full.
    static func takeDrops(_ handle: Int32) -> UInt64 {
        var statistics = tpacket_stats()
        var length = socklen_t(MemoryLayout<tpacket_stats>.size)
        guard getsockopt(handle, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == 0 else { return 0 }
        return UInt64(statistics.tp_drops)
    }

    /// Whether the kernel takes VIRTIO_NET_HDR_GSO_UDP_L4 (Linux 6.2): one datagram, too small to be segmented, to a link
    /// address that nobody has, on the loopback interface, which must be up. The host's IP does not look at it.
    static let segmentsUDP: Bool = {
        var loopback = packet_interface()
        guard packet_interface_read("lo", &loopback) == 0 else { return false }
        let handle = packet_socket_open()
        guard handle >= 0 else { return false }
        defer { close(handle) }
        guard set(handle, SOL_PACKET, PACKET_VNET_HDR, to: Int32(1)), packet_socket_bind(handle, loopback.index, 0) == 0
        else { return false }
        return send(probe, on: handle)
    }()

    /// A `virtio_net_hdr`, and UDP from and to the discard port of 127.0.0.1.
    private static let probe: [UInt8] =
        [UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM), virtio_net_hdr_gso_udp_l4, 42, 0, 0x78, 0x05, 34, 0, 6, 0]
        + [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0]
        + [0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0x3c, 0xbd, 127, 0, 0, 1, 127, 0, 0, 1]
        + [0, 9, 0, 9, 0, 26, 0xfe, 0x2d] + [UInt8](repeating: 0, count: 18)

    private static func send(_ bytes: [UInt8], on handle: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = packet_message()
                message.header.msg_iov = vector
                message.header.msg_iovlen = 1
                return packet_socket_send(handle, &message, 1) == 1
            }
        }
    }

    private static func open(_ port: String) throws(PortFailure) -> Int32 {
        let handle = packet_socket_open()
        if handle >= 0 { return handle }
        try check(handle, port)
        return handle
    }

    private static func set<Value>(_ handle: Int32, _ level: Int32, _ option: Int32, to value: Value) -> Bool {
        withUnsafeBytes(of: value) { setsockopt(handle, level, option, $0.baseAddress, socklen_t($0.count)) == 0 }
    }

    private static func set<Value>(
        _ handle: Int32, _ option: Int32, to value: Value, _ port: String
    ) throws(PortFailure) {
        if !set(handle, SOL_PACKET, option, to: value) { try check(-errno, port) }
    }

    private static func check(_ result: Int32, _ port: String) throws(PortFailure) {
        switch result {
        case 0...: return
        case -EPERM, -EACCES:
            throw PortFailure("port \(port) is not to be had: run as root or give CAP_NET_RAW and CAP_NET_ADMIN")
        case -ENOMEM, -ENOBUFS:
            throw PortFailure(noMemory(port))
        default:
            throw PortFailure(
                "port \(port): the kernel refuses a packet socket (\(EAL.message(of: result))): Linux 4.20 or newer, with "
                    + "CONFIG_PACKET, is needed")
        }
    }
}
