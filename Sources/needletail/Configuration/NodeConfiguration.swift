import Api
import Dataplane
import Foundation
import Logging
import Mailbox
import Wire

/// The whole configuration of a PoP, checked.
struct NodeConfiguration {
    static let profileNames: [(name: String, profile: SRTPProfile)] = [
        ("AEAD_AES_128_GCM", .aeadAes128Gcm), ("AEAD_AES_256_GCM", .aeadAes256Gcm),
        ("AES128_CM_SHA1_80", .aes128CmHmacSha1),
    ]
    static let codecNames: [(name: String, codec: Codec)] = [
        ("vp8", .vp8), ("h264", .h264), ("vp9", .vp9), ("av1", .av1),
    ]

    /// What it was read from.
    let file: ConfigurationFile
    var pop: UInt16
    var device: String
    var interfaces: [HostConfiguration.Interface]
    var gatewayV4: IPAddress?
    var gatewayV6: IPAddress?
    var network: NetworkConfiguration
    var mediaPort: UInt16
    var mtu: Int
    var descriptors: Int
    var buffers: Int
    var hugepages: EAL.Hugepages
    var memory: Int?
    var cores: [Int]
    var idle: IdleChoice
    var capacity: Capacity
    /// What clients are told to send to.
    var announced: [IPAddress]
    var profiles: [SRTPProfile]
    var codecs: [Codec]
    /// Milliseconds.
    var retransmissionAge: Int
    /// Nil: no relay.
    var turn: TURNSection?
    /// Nil: a PoP alone.
    var fleet: FleetSection?
    /// The file in which meetings last; nil: they live in memory.
    var storePath: String?
    /// Nil: nobody is told of what happens.
    var webhooks: WebhooksSection?
    var api: ApiConfiguration
    var logLevel: Logger.Level
    /// JSON lines instead of plain text.
    var logsJSON: Bool

    /// - Parameter machine: MiB of memory that there are.
    init(_ file: ConfigurationFile, machine: Int = Int(ProcessInfo.processInfo.physicalMemory / 1_048_576)) throws {
        self.file = file
        pop = UInt16(try file.integer(.popID, in: 1...65_535, default: 1))
        guard let device = file.text(.portDevice), !device.isEmpty else {
            throw file.error(
                .portDevice,
                "is missing: name a PCI address, or an interface of the kernel as packet_socket0,iface=eth0")
        }
        self.device = device
        interfaces = try Self.interfaces(file)
        (gatewayV4, gatewayV6) = try Self.gateways(file, interfaces: interfaces)
        network = try NetworkConfiguration(file, device: device, interfaces: interfaces)
        mediaPort = UInt16(try file.integer(.portUDP, in: 1...65_535, default: 3_478))
        mtu = try file.integer(.portMTU, in: 1_280...1_500, default: 1_500)
        descriptors = try file.integer(.portDescriptors, in: 64...8_192, default: 1_024)
        buffers = try file.integer(.portBuffers, in: 4_095...4_194_303, default: 32_767)
        hugepages = ["required": .required, "never": .never][file.text(.memoryHugepages) ?? "auto"] ?? .automatic
        memory =
            file.text(.memoryMegabytes) == nil
            ? nil : try file.integer(.memoryMegabytes, in: 64...1_048_576, default: 512)
        cores = try Self.cores(file)
        idle = try Self.idle(file)
        capacity = Capacity(
            sessions: try file.integer(.capacitySessions, in: 2...1_000_000, default: 1_024),
            tracks: try file.integer(.capacityTracks, in: 2...1_000_000, default: 4_096),
            slots: try file.integer(.capacitySlots, in: 2...16_000_000, default: 32_768))
        if file.has(.fleetListen) { capacity = capacity.inFleet }
        announced = try Self.addresses(file, .mediaAnnounced) ?? interfaces.map(\.address)
        try AddressRules(file: file, interfaces: interfaces).checkFamilies(announced, .mediaAnnounced)
        let profiles = file.texts(.mediaProfiles) ?? Self.profileNames.map(\.name)
        self.profiles = profiles.compactMap { name in Self.profileNames.first { $0.name == name }?.profile }
        let codecs = file.texts(.mediaCodecs) ?? Self.codecNames.map(\.name)
        self.codecs = codecs.compactMap { name in Self.codecNames.first { $0.name == name }?.codec }
        if self.profiles.isEmpty { throw file.error(.mediaProfiles, "must name at least one") }
        if self.codecs.isEmpty { throw file.error(.mediaCodecs, "must name at least one") }
        retransmissionAge = try file.integer(.mediaCacheAge, in: 0...5_000, default: 1_000)
        turn = try TURNSection(
            file, own: interfaces.map(\.address), announced: announced, mediaPort: mediaPort)
        // Each worker has its share, as it has of the relayed ports.
        capacity.allocations = max(2, (turn.map { $0.control.limits.allocations } ?? 0) / cores.count)
        api = try Self.api(file)
        api.turn = turn?.control
        api.identity = try Self.identity(file, pop: pop)
        if let first = announced.first { api.mediaServer = Endpoint(address: first, port: mediaPort).description }
        fleet = try FleetSection(file, media: announced, port: mediaPort)
        api.fleet = fleet?.api
        storePath = try Self.storePath(file, isInFleet: fleet != nil)
        webhooks = try WebhooksSection(file)
        // Who is sent here comes back here.
        api.signalingURL = api.signalingURL ?? fleet?.api.url
        logsJSON = file.text(.logFormat) == "json"
        logLevel = file.text(.logLevel).flatMap(Logger.Level.init(rawValue:)) ?? .info
        try ListenRules.checkApart(listeners, in: file)
        try checkMemory(file, machine: machine)
    }

    /// MiB that DPDK needs. On pages of 4 KiB each packet buffer (2.5 KiB with its headers) has one of its own, as none
    /// crosses pages; device rings and pool headers take the rest.
    var wantedMemory: Int { memory ?? cores.count * (buffers * 4_096 / 1_048_576 + 24) + 64 }

    /// All listeners of TCP, each by its key.
    var listeners: [(key: ConfigurationKey, listen: ApiConfiguration.Listen)] {
        [(.apiListen, api.api), (.opsListen, api.ops)] + (turn?.control.tcp ?? []).map { (.turnTCP, $0) }
            + (turn?.control.tls ?? []).map { (.turnTLS, $0) }
            + (fleet?.api.links?.listen ?? []).map { (.fleetListen, $0) }
    }

    /// All certificates that are read again on SIGHUP.
    var certificates: [CertificateStore] {
        [api.certificates, turn?.control.certificates, fleet?.api.links?.certificates].compactMap { $0 }
    }

    /// MiB of the workers' tables when they are full.
    private var tableMemory: Int { cores.count * capacity.byteCount / 1_048_576 }

    private func checkMemory(_ file: ConfigurationFile, machine: Int) throws {
        guard wantedMemory <= machine else {
            let key: ConfigurationKey = memory == nil ? .portBuffers : .memoryMegabytes
            throw file.error(key, "wants \(wantedMemory) MiB, and this machine has \(machine) MiB")
        }
        guard tableMemory > machine - wantedMemory else { return }
        throw file.error(
            .capacityTracks,
            "wants \(tableMemory) MiB with the other tables beside \(wantedMemory) MiB for packet buffers, and this machine has "
                + "\(machine) MiB")
    }

    private static func interfaces(_ file: ConfigurationFile) throws -> [HostConfiguration.Interface] {
        guard let list = file.texts(.portAddresses), !list.isEmpty else {
            throw file.error(
                .portAddresses, "is missing: give the port's own addresses, as [\"192.0.2.2/24\", \"2001:db8::2/64\"]")
        }
        guard list.count <= HostConfiguration.mostInterfaces else {
            throw file.error(.portAddresses, "has more than \(HostConfiguration.mostInterfaces) addresses")
        }
        var interfaces: [HostConfiguration.Interface] = []
        for text in list {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
                (0...(address.isV4 ? 32 : 128)).contains(length)
            else { throw file.error(.portAddresses, "\(text) is not an address with a prefix length, as 192.0.2.2/24") }
            let interface = HostConfiguration.Interface(address: address, prefixLength: length)
            if let fault = AddressRules.fault(of: interface) { throw file.error(.portAddresses, "\(text) \(fault)") }
            guard !interfaces.contains(where: { $0.address == address }) else {
                throw file.error(.portAddresses, "names \(address) twice")
            }
            interfaces.append(interface)
        }
        return interfaces
    }

    private static func addresses(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> [IPAddress]? {
        try file.texts(key)?.map { text in
            guard let address = IPAddress(text) else { throw file.error(key, "\(text) is not an IP address") }
            return address
        }
    }

    private static func gateways(
        _ file: ConfigurationFile, interfaces: [HostConfiguration.Interface]
    ) throws -> (IPAddress?, IPAddress?) {
        let all = try addresses(file, .portGateway) ?? []
        try AddressRules(file: file, interfaces: interfaces).checkGateways(all)
        let v4 = all.filter(\.isV4)
        let v6 = all.filter { !$0.isV4 }
        guard v4.count <= 1, v6.count <= 1 else {
            throw file.error(.portGateway, "may have one IPv4 and one IPv6 address")
        }
        return (v4.first, v6.first)
    }

    private static func cores(_ file: ConfigurationFile) throws -> [Int] {
        let cores = file.integers(.workersCores) ?? [0]
        guard (1...HandoverMesh.maximumWorkers).contains(cores.count) else {
            throw file.error(.workersCores, "must name 1 to \(HandoverMesh.maximumWorkers) cores")
        }
        guard Set(cores).count == cores.count else { throw file.error(.workersCores, "names a core twice") }
        guard cores.allSatisfy({ (0..<1_024).contains($0) }) else {
            throw file.error(.workersCores, "must name cores from 0 to 1023")
        }
        return cores
    }

    private static func idle(_ file: ConfigurationFile) throws -> IdleChoice {
        let usual = IdlePolicy()
        let pause = try file.integer(.workersPauseAfter, in: 0...1_000_000, default: Int(usual.pauseAfter))
        let sleep = try file.integer(.workersSleepAfter, in: 0...100_000_000, default: Int(usual.sleepAfter))
        let longest = try file.integer(.workersLongestSleep, in: 1...10_000, default: Int(usual.longestSleep))
        let adaptive = IdlePolicy(
            pauseAfter: UInt32(pause), sleepAfter: UInt32(sleep), longestSleep: UInt32(longest))
        switch file.text(.workersIdle) ?? "auto" {
        case "poll": return IdleChoice(ofKernelPorts: .poll, ofNICs: .poll)
        case "adaptive": return IdleChoice(ofKernelPorts: adaptive, ofNICs: adaptive)
        default: return IdleChoice(ofKernelPorts: adaptive, ofNICs: .poll)
        }
    }

    private static func api(_ file: ConfigurationFile) throws -> ApiConfiguration {
        var api = ApiConfiguration()
        api.api = try listen(file, .apiListen) ?? .init(host: "127.0.0.1", port: 8_080)
        api.ops = try listen(file, .opsListen) ?? .init(host: "127.0.0.1", port: 9_090)
        api.drainTime = .seconds(try file.integer(.drainDeadline, in: 0...86_400, default: 300))
        api.connections = try file.integer(.apiConnections, in: 1...1_000_000, default: api.connections)
        api.connectionsPerAddress = try file.integer(
            .apiAddressConnections, in: 1...1_000_000, default: api.connectionsPerAddress)
        api.rateLimit = try joins(file)
        api.trustedProxies = TrustedProxies(
            try prefixes(file, .apiTrustedProxies).map { .init(address: $0.network, length: $0.length) })
        api.allowedOrigins = try origins(file)
        api.publicURL = try url(file, .apiPublicURL)
        api.signalingURL = try url(file, .apiSignalingURL)
        api.certificates = try certificates(file)
        api.admission = try admission(file)
        api.webFolder = try webFolder(file)
        api.keys = try (file.texts(.authKeys) ?? []).map { text in
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[1].utf8.count >= 32 else {
                throw file.error(.authKeys, "each must be id:secret with a secret of at least 32 characters")
            }
            return ApiConfiguration.Key(id: parts[0], secret: Array(parts[1].utf8))
        }
        for (place, key) in api.keys.enumerated() where api.keys[..<place].contains(where: { $0.id == key.id }) {
            throw file.error(.authKeys, "names \(key.id) twice")
        }
        return api
    }

    /// `127.0.0.1:8080` or `[::]:8080`.
    private static func listen(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> ApiConfiguration.Listen? {
        try file.text(key).map { try ListenRules.listen($0, of: key, in: file) }
    }
}
