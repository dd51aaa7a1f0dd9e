import Mailbox
import Wire

/// A worker's TURN state: allocations, permissions, channels, ports, and their timers. All of fixed size; without a
/// configuration nothing of it is used.
struct Relay: ~Copyable {
    let isEnabled: Bool
    let limits: RelayLimits
    let number: Int
    let workers: Int
    let v4: RelayConfiguration.RelayAddress?
    let v6: RelayConfiguration.RelayAddress?
    /// Of all workers: the first port, and how many each worker has.
    let portBase: UInt16
    let portsPerWorker: Int
    let allowsMobility: Bool
    let channelNumbers: ClosedRange<UInt16>
    let mediaPort: UInt16
    let listeners: Listeners
    let nonces: TURNNonces
    let texts: TURNTexts
    private let ownerHash: SipHash
    private let ticketHash: SipHash
    let policy: PeerPolicy
    /// Media addresses as clients know them.
    private let announced: InlineArray<16, IPAddress>
    private let announcedCount: Int

    var sources: SourceLimits
    var portsV4: RelayPorts
    var portsV6: RelayPorts
    var allocations: HandleTable<AllocationKind, Allocation>
    var accounts: IndexPool<RelayAccount>
    var permissions: IndexPool<Permission>
    var channels: IndexPool<Channel>
    var pending: IndexPool<PendingAllocate>
    var reservations: IndexPool<PortReservation>
    /// The client's 5-tuple to `AllocationHandle.raw`; of allocations on other workers too where the hash does not lead there.
    var clients: FlowTable
    /// A user to the place of its RelayAccount.
    var users: FlowTable
    /// A peer and the relayed port to the Channel's place.
    var peers: FlowTable
    /// A peer's address and the relayed port to the Permission's place.
    var permitted: FlowTable
    /// An allocation and a channel number to the Channel's place.
    var numbers: FlowTable
    /// A client's 5-tuple to what it asked and control has not answered.
    var asked: FlowTable
    var wheel: TimerWheel
    var batch = RelayBatch()
    /// Free places of `allocations`, and the generations that they had.
    private var freeAllocations: IndexPool<UInt32>
    private let generations: UnsafeMutablePointer<UInt32>
    private var tokenCount: UInt64 = 0
    /// Of IPv4 packets that may be fragmented (RFC 6864).
    var identification: UInt16 = 0
    /// The time of this turn.
    var now: UInt64 = 0
    /// Takes what the wheel says is due.
    let due: UnsafeMutablePointer<UInt32>
    static var dueCapacity: Int { 64 }
    /// Takes what Sessions sent to ourselves.
    let looped: UnsafeMutablePointer<Mbuf>
    static var loopedCapacity: Int { 512 }

    init(
        _ configuration: RelayConfiguration?, mediaPort: UInt16, capacity: Capacity, number: Int, workers: Int,
        random: inout RandomSource
    ) {
        isEnabled = configuration != nil
        let settings =
            configuration
            ?? RelayConfiguration(
                realm: "", secret: (0, 0, 0, 0), v4: nil, v6: nil, limits: RelayLimits(sources: 1))
        limits = settings.limits
        self.number = number
        self.workers = workers
        self.mediaPort = mediaPort
        v4 = settings.v4
        v6 = settings.v6
        allowsMobility = settings.allowsMobility
        channelNumbers = settings.channelNumbers
        listeners = Listeners(settings.alternatePorts)
        texts = TURNTexts(realm: settings.realm, software: settings.software)
        policy = PeerPolicy(allowed: settings.allowedPeers, refused: settings.refusedPeers)
        var announced = InlineArray<16, IPAddress>(repeating: IPAddress(v4: 0))
        announcedCount = min(settings.announced.count, 16)
        for index in 0..<announcedCount { announced[index] = settings.announced[index] }
        self.announced = announced

        let secret = RelaySecret(settings.secret)
        nonces = TURNNonces(key: secret.key, lifetime: settings.limits.nonceLifetime)
        ownerHash = SipHash(seed: secret.derive(1))
        // Each worker verifies its own tickets only, so each has its own key.
        ticketHash = SipHash(seed: secret.derive(2 + UInt64(number)))
        sources = SourceLimits(settings.limits, seed: (random.next(), random.next()))

        let own = settings.ports(ofWorker: number, of: workers)
        portBase = UInt16(settings.ports(ofWorker: 0, of: workers).lowerBound)
        let portsPerWorker = configuration == nil ? 0 : own.count
        self.portsPerWorker = portsPerWorker
        let base = UInt16(truncatingIfNeeded: own.lowerBound)
        // Here and below from locals: members of `self` read between the initialisation of others make Swift 6.3's
        // optimizer free what is not there yet.
        let (countV4, countV6) = (settings.v4 == nil ? 0 : portsPerWorker, settings.v6 == nil ? 0 : portsPerWorker)
        portsV4 = RelayPorts(base: base, count: countV4, random: &random)
        portsV6 = RelayPorts(base: base, count: countV6, random: &random)

        let isOn = configuration != nil
        let count = isOn ? max(capacity.allocations, 1) : 1
        let (permissionCount, channelCount) = (count * 8, count * 4)
        let pendingCount = isOn ? PendingAllocate.capacity : 1
        let reservationCount = isOn ? PortReservation.capacity : 1
        allocations = HandleTable(capacity: count)
        accounts = IndexPool(capacity: count)
        permissions = IndexPool(capacity: permissionCount)
        channels = IndexPool(capacity: channelCount)
        pending = IndexPool(capacity: pendingCount)
        reservations = IndexPool(capacity: reservationCount)
        func table(_ capacity: Int) -> FlowTable { FlowTable(capacity: capacity, seed: (random.next(), random.next())) }
        // As many again whose allocation is on another worker.
        clients = table(count * 2)
        users = table(count)
        peers = table(channelCount)
        permitted = table(permissionCount)
        numbers = table(channelCount)
        asked = table(pendingCount)
        freeAllocations = IndexPool(capacity: count)
        generations = .allocate(capacity: count)
        generations.initialize(repeating: 0, count: count)
        wheel = TimerWheel(
            capacity: count + permissionCount + channelCount + pendingCount + reservationCount, spokes: 4_096,
            tick: 100_000_000)
        due = .allocate(capacity: Self.dueCapacity)
        looped = .allocate(capacity: Self.loopedCapacity)
    }

    deinit {
        generations.deallocate()
        due.deallocate()
        looped.deallocate()
    }
}

extension Relay {
    /// The worker on which a client's allocation is made: all workers agree.
    func owner(of client: Endpoint) -> Int {
        guard workers > 1 else { return number }
        let hash = ownerHash.hash(client.address.high, client.address.low, UInt64(client.port))
        return Int(truncatingIfNeeded: hash % UInt64(workers))
    }

    /// The worker that a relayed port belongs to; nil for another port.
    @inline(__always)
    func owner(ofPort port: UInt16) -> Int? {
        let place = Int(port) &- Int(portBase)
        guard place >= 0, portsPerWorker > 0, place < portsPerWorker &* workers else { return nil }
        return workers == 1 ? 0 : place / portsPerWorker
    }

    @inline(__always)
    func isRelayAddress(_ address: IPAddress) -> Bool { v4?.local == address || v6?.local == address }

    /// Whether what RFC 7983 has no name for is ChannelData of a client of RFC 5766.
    func isFormerChannel(_ payload: UnsafeRawBufferPointer) -> Bool {
        ChannelData(payload).map { channelNumbers.contains($0.channel) } ?? false
    }

    /// The relayed address of a family.
    func address(isV4: Bool) -> RelayConfiguration.RelayAddress? { isV4 ? v4 : v6 }

    /// Our own address on the wire for an address that clients know us by; nil for any other. `media` is the port's own of the same family.
    func localAddress(for named: IPAddress, media: IPAddress?) -> IPAddress? {
        if let relay = address(isV4: named.isV4), relay.announced == named || relay.local == named {
            return relay.local
        }
        for index in 0..<announcedCount where announced[index] == named { return media }
        return nil
    }

    /// A free place and a handle of its next generation.
    mutating func newHandle() -> AllocationHandle? {
        guard let index = freeAllocations.take() else { return nil }
        generations[Int(index)] = max((generations[Int(index)] &+ 1) & 0xff_ffff, 1)
        return AllocationHandle(worker: UInt8(number), index: index, generation: generations[Int(index)])
    }

    mutating func giveBack(_ handle: AllocationHandle) { freeAllocations.giveBack(UInt32(handle.index)) }

    /// Free ports of a family.
    mutating func releasePort(_ port: UInt16, isV4: Bool) {
        if isV4 { portsV4.release(port) } else { portsV6.release(port) }
    }

    /// 64 bits that nobody can guess.
    mutating func newToken() -> UInt64 {
        tokenCount &+= 1
        return ticketHash.hash(0, 0, tokenCount)
    }

    /// The secret half of a mobility ticket.
    func ticket(_ allocation: AllocationHandle, count: UInt32) -> (UInt64, UInt64) {
        (ticketHash.hash(1, allocation.raw, UInt64(count)), ticketHash.hash(2, allocation.raw, UInt64(count)))
    }

    /// A hash of a user name, to compare it by.
    func usernameHash(_ name: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = UInt64(name.count)
        var offset = 0
        guard let base = name.baseAddress else { return hash }
        while offset < name.count {
            var word: UInt64 = 0
            for index in offset..<min(offset &+ 8, name.count) { word = word << 8 | UInt64(base.u8(index)) }
            hash = ticketHash.hash(3, hash, word)
            offset &+= 8
        }
        return hash
    }

    // The wheel's entities, one kind behind the other.
    func timer(ofAllocation index: Int) -> Int { index }
    func timer(ofPermission index: UInt32) -> Int { allocations.capacity &+ Int(index) }
    func timer(ofChannel index: UInt32) -> Int { allocations.capacity &+ permissions.capacity &+ Int(index) }
    func timer(ofPending index: UInt32) -> Int {
        allocations.capacity &+ permissions.capacity &+ channels.capacity &+ Int(index)
    }
    func timer(ofReservation index: UInt32) -> Int {
        allocations.capacity &+ permissions.capacity &+ channels.capacity &+ pending.capacity &+ Int(index)
    }
}

/// Keys derived from the secret of this start.
private struct RelaySecret {
    let key: MessageIntegrity

    init(_ words: (UInt64, UInt64, UInt64, UInt64)) {
        key = withUnsafeBytes(of: words) { MessageIntegrity(key: $0) }
    }

    /// An independent key for a purpose.
    func derive(_ purpose: UInt64) -> (UInt64, UInt64) {
        let digest = withUnsafeBytes(of: (purpose, UInt64(0x6e65_6564_6c65))) { key.digest(of: $0) }
        return withUnsafeBytes(of: digest) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
