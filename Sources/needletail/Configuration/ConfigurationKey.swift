/// Every key that the configuration file may hold, and the shape of its value. `appliance/needletail.yaml` explains them.
enum ConfigurationKey: String, CaseIterable {
    case popID = "pop.id"
    case popRegion = "pop.region"
    case popLatitude = "pop.latitude"
    case popLongitude = "pop.longitude"
    case portDevice = "port.device"
    case portAddresses = "port.addresses"
    case portGateway = "port.gateway"
    case portUDP = "port.udp_port"
    case portMTU = "port.mtu"
    case portDescriptors = "port.descriptors"
    case portBuffers = "port.buffers"
    case portException = "port.exception"
    case portExceptionRate = "port.exception_rate"
    case anycastAddresses = "anycast.addresses"
    case memoryHugepages = "memory.hugepages"
    case memoryMegabytes = "memory.megabytes"
    case workersCores = "workers.cores"
    case workersIdle = "workers.idle"
    case workersPauseAfter = "workers.pause_after"
    case workersSleepAfter = "workers.sleep_after"
    case workersLongestSleep = "workers.longest_sleep_us"
    case capacitySessions = "capacity.sessions"
    case capacityTracks = "capacity.tracks"
    case capacitySlots = "capacity.slots"
    case mediaAnnounced = "media.announced_addresses"
    case mediaProfiles = "media.srtp_profiles"
    case mediaCodecs = "media.video_codecs"
    case mediaCacheAge = "media.retransmission_ms"
    case turnEnabled = "turn.enabled"
    case turnRealm = "turn.realm"
    case turnHost = "turn.host"
    case turnSecrets = "turn.secrets"
    case turnUsers = "turn.users"
    case turnLifetime = "turn.credential_lifetime_s"
    case turnTCP = "turn.tcp_listen"
    case turnTLS = "turn.tls_listen"
    case turnCertificate = "turn.certificate"
    case turnPrivateKey = "turn.private_key"
    case turnAlternatePorts = "turn.alternate_udp_ports"
    case turnRelayAddresses = "turn.relay_addresses"
    case turnRelayPorts = "turn.relay_ports"
    case turnAllow = "turn.allow_peers"
    case turnDeny = "turn.deny_peers"
    case turnAllocations = "turn.allocations"
    case turnUserAllocations = "turn.allocations_per_user"
    case turnAddressAllocations = "turn.allocations_per_address"
    case turnBandwidth = "turn.bits_per_second_per_user"
    case turnFormerChannels = "turn.rfc5766_channels"
    case turnPeerRate = "turn.new_peers_per_second_per_user"
    case turnConnections = "turn.connections"
    case turnAddressConnections = "turn.connections_per_address"
    case apiListen = "api.listen"
    case apiPublicURL = "api.public_url"
    case apiSignalingURL = "api.signaling_url"
    case apiCertificate = "api.certificate"
    case apiKey = "api.key"
    case apiConnections = "api.connections"
    case apiAddressConnections = "api.connections_per_address"
    case apiJoinBurst = "api.joins.burst"
    case apiJoinRate = "api.joins.rate"
    case apiTrustedProxies = "api.trusted_proxies"
    case apiAllowedOrigins = "api.allowed_origins"
    case apiWebFolder = "api.web_folder"
    case authKeys = "auth.keys"
    case fleetName = "fleet.name"
    case fleetSignalingURL = "fleet.signaling_url"
    case fleetListen = "fleet.listen"
    case fleetAnnounced = "fleet.announced_addresses"
    case fleetCertificate = "fleet.certificate"
    case fleetKey = "fleet.key"
    case fleetCA = "fleet.ca"
    case fleetPeers = "fleet.peers"
    case fleetRedis = "fleet.redis"
    case fleetRedisUser = "fleet.redis_user"
    case fleetRedisPassword = "fleet.redis_password"
    case fleetRedisPasswordFile = "fleet.redis_password_file"
    case fleetRedisTLS = "fleet.redis_tls"
    case fleetRedisCA = "fleet.redis_ca"
    case fleetRedisServerName = "fleet.redis_server_name"
    case fleetRedisCertificate = "fleet.redis_certificate"
    case fleetRedisKey = "fleet.redis_key"
    case fleetKeyPrefix = "fleet.key_prefix"
    case storePath = "store.path"
    case webhooksEndpoints = "webhooks.endpoints"
    case webhooksRetry = "webhooks.retry_s"
    case webhooksTimeout = "webhooks.timeout_s"
    case opsListen = "ops.listen"
    case drainDeadline = "drain.deadline_s"
    case admissionBusyRatio = "admission.busy_ratio"
    case admissionWindow = "admission.window_s"
    case logFormat = "log.format"
    case logLevel = "log.level"

    enum Shape: Equatable, Sendable {
        case text, integer, number, texts, integers
        /// Text that is one of these.
        case choice([String])
        /// A list of such.
        case choices([String])
        /// A list of mappings that have these keys.
        case sections([String: Shape])
    }

    var shape: Shape {
        switch self {
        case .popID, .portUDP, .portMTU, .portDescriptors, .portBuffers, .portExceptionRate, .memoryMegabytes,
            .workersPauseAfter, .workersSleepAfter, .workersLongestSleep, .capacitySessions, .capacityTracks,
            .capacitySlots, .mediaCacheAge, .drainDeadline, .admissionWindow, .turnLifetime, .turnAllocations,
            .turnUserAllocations, .turnAddressAllocations, .turnBandwidth, .turnPeerRate, .turnConnections,
            .turnAddressConnections, .apiConnections, .apiAddressConnections, .apiJoinBurst, .webhooksTimeout:
            .integer
        case .portDevice, .portException, .apiListen, .apiPublicURL, .apiSignalingURL, .apiCertificate, .apiKey,
            .apiWebFolder, .opsListen, .popRegion, .turnRealm, .turnHost, .turnCertificate, .turnPrivateKey,
            .turnRelayPorts, .fleetName, .fleetSignalingURL, .fleetRedisUser, .fleetRedisPassword,
            .fleetRedisPasswordFile, .fleetRedisCA, .fleetRedisServerName, .fleetRedisCertificate, .fleetRedisKey,
            .fleetKeyPrefix, .fleetCertificate, .fleetKey, .fleetCA, .storePath:
            .text
        case .popLatitude, .popLongitude, .admissionBusyRatio, .apiJoinRate: .number
        case .portAddresses, .portGateway, .anycastAddresses, .mediaAnnounced, .authKeys, .turnSecrets, .turnUsers,
            .turnTCP, .turnTLS, .turnRelayAddresses, .turnAllow, .turnDeny, .apiTrustedProxies, .apiAllowedOrigins,
            .fleetRedis, .fleetListen, .fleetAnnounced, .fleetPeers:
            .texts
        case .workersCores, .turnAlternatePorts, .webhooksRetry: .integers
        case .webhooksEndpoints: .sections(WebhookKey.shapes)
        case .turnEnabled, .turnFormerChannels, .fleetRedisTLS: .choice(["yes", "no"])
        case .logFormat: .choice(["text", "json"])
        case .memoryHugepages: .choice(["auto", "required", "never"])
        case .workersIdle: .choice(["auto", "adaptive", "poll"])
        case .mediaProfiles: .choices(NodeConfiguration.profileNames.map(\.name))
        case .mediaCodecs: .choices(NodeConfiguration.codecNames.map(\.name))
        case .logLevel: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"])
        }
    }
}
