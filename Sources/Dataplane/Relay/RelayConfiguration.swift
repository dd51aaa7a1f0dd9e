import Wire

/// What a worker must know to relay (RFC 8656); the same for all workers of a PoP.
public struct RelayConfiguration: Sendable, Equatable {
    /// An address prefix, for the lists of peers.
    public struct Prefix: Sendable, Equatable, BitwiseCopyable {
        public var address: IPAddress
        /// Of an IPv4 prefix counted from its own first bit.
        public var length: Int

        public init(address: IPAddress, length: Int) {
            self.address = address
            self.length = length
        }
    }

    /// An address that allocations are made on.
    public struct RelayAddress: Sendable, Equatable, BitwiseCopyable {
        /// What packets carry on our link. It need not be routable when all peers are our own.
        public var local: IPAddress
        /// What clients are told; another one when a router translates one to one.
        public var announced: IPAddress

        public init(local: IPAddress, announced: IPAddress? = nil) {
            self.local = local
            self.announced = announced ?? local
        }
    }

    /// REALM; at most 127 characters (RFC 8489 section 14.9), short to keep challenges short.
    public var realm: String
    /// SOFTWARE of responses to authenticated requests; empty: none.
    public var software: String
    /// Secret and random at each start: nonces and the choice of a client's worker.
    public var secret: (UInt64, UInt64, UInt64, UInt64)
    /// UDP ports beside the media port on which STUN and TURN are served: 80, 443; at most 7.
    public var alternatePorts: [UInt16]
    public var v4: RelayAddress?
    public var v6: RelayAddress?
    /// Relayed ports, shared out to the workers in equal blocks. Must not hold a listening port.
    public var ports: ClosedRange<UInt16>
    /// Media addresses as clients know them, where they are not the port's own.
    public var announced: [IPAddress]
    /// Peers refused beside those that never are (`PeerPolicy`), and peers allowed in spite of all refusals.
    public var refusedPeers: [Prefix]
    public var allowedPeers: [Prefix]
    /// Mobility tickets are given out (RFC 8016).
    public var allowsMobility: Bool
    /// Which channels may be bound: `ChannelData.numbers`, or `formerNumbers` for clients of RFC 5766.
    public var channelNumbers: ClosedRange<UInt16>
    public var limits: RelayLimits

    public init(
        realm: String, software: String = "needletail", secret: (UInt64, UInt64, UInt64, UInt64),
        alternatePorts: [UInt16] = [], v4: RelayAddress?, v6: RelayAddress?,
        ports: ClosedRange<UInt16> = 49_152...65_535, announced: [IPAddress] = [], refusedPeers: [Prefix] = [],
        allowedPeers: [Prefix] = [], allowsMobility: Bool = true,
        channelNumbers: ClosedRange<UInt16> = ChannelData.numbers, limits: RelayLimits = RelayLimits()
    ) {
        self.realm = realm
        self.software = software
        self.secret = secret
        self.alternatePorts = alternatePorts
        self.v4 = v4
        self.v6 = v6
        self.ports = ports
        self.announced = announced
        self.refusedPeers = refusedPeers
        self.allowedPeers = allowedPeers
        self.allowsMobility = allowsMobility
        self.channelNumbers = channelNumbers
        self.limits = limits
    }

    /// The relayed ports of one of `workers` workers: equal blocks of whole pairs, as EVEN-PORT reserves the next
    /// (RFC 8656 section 7.2). Empty when there are too few.
    public func ports(ofWorker number: Int, of workers: Int) -> Range<Int> {
        let lower = (Int(ports.lowerBound) + 1) & ~1
        let share = (max(Int(ports.upperBound) + 1 - lower, 0) / max(workers, 1)) & ~1
        return lower + number * share..<lower + (number + 1) * share
    }

    public static func == (left: RelayConfiguration, right: RelayConfiguration) -> Bool {
        left.realm == right.realm && left.software == right.software && left.secret == right.secret
            && left.alternatePorts == right.alternatePorts && left.v4 == right.v4 && left.v6 == right.v6
            && left.ports == right.ports && left.announced == right.announced
            && left.refusedPeers == right.refusedPeers && left.allowedPeers == right.allowedPeers
            && left.allowsMobility == right.allowsMobility && left.channelNumbers == right.channelNumbers
            && left.limits == right.limits
    }
}

/// Limits on TURN clients. Rates are per worker.
public struct RelayLimits: Sendable, Equatable, BitwiseCopyable {
    /// How long a nonce is good for, seconds (RFC 8656 section 5: at least 10 minutes would spare clients a round trip).
    public var nonceLifetime: UInt32
    /// Before authentication an address is sent at most as many bytes as came from it, plus these: at once, and a second.
    public var challengeBurst: Int
    public var challengeRate: Int
    /// Source addresses that are tracked; the least recently used are evicted.
    public var sources: Int
    /// Requests with credentials from one address, before any HMAC: a second, and at once.
    public var requestRate: Int
    public var requestBurst: Int
    /// Per allocation.
    public var permissions: Int
    public var channels: Int
    /// New permissions of one user's allocations: a second, and at once.
    public var peerRate: Int
    public var peerBurst: Int

    public init(
        nonceLifetime: UInt32 = 3_600, challengeBurst: Int = 16_384, challengeRate: Int = 2_048,
        sources: Int = 16_384,
        requestRate: Int = 200, requestBurst: Int = 1_000, permissions: Int = 128, channels: Int = 64,
        peerRate: Int = 20, peerBurst: Int = 128
    ) {
        self.nonceLifetime = nonceLifetime
        self.challengeBurst = challengeBurst
        self.challengeRate = challengeRate
        self.sources = sources
        self.requestRate = requestRate
        self.requestBurst = requestBurst
        self.permissions = permissions
        self.channels = channels
        self.peerRate = peerRate
        self.peerBurst = peerBurst
    }
}
