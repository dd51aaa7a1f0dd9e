import Wire

/// How many of something each holder has, none more than a limit.
struct Tally<Holder: Hashable> {
    let limit: Int
    private var counts: [Holder: Int] = [:]

    init(limit: Int) { self.limit = limit }

    func hasRoom(for holder: Holder) -> Bool { counts[holder, default: 0] < limit }

    mutating func add(_ holder: Holder) { counts[holder, default: 0] += 1 }

    /// Forgets holders that have nothing, so that the table does not grow with those who left.
    mutating func remove(_ holder: Holder) {
        guard let count = counts[holder] else { return }
        counts[holder] = count > 1 ? count - 1 : nil
    }
}

/// Who holds how many allocations; one is counted from its grant until the worker says that it failed or ended.
struct AllocationLedger {
    /// The limit that a newcomer would pass.
    enum Shortage: Equatable {
        case user, address, node
    }

    private let limit: Int
    private var users: Tally<UInt64>
    private var addresses: Tally<IPAddress>
    private(set) var count = 0

    init(_ limits: TurnConfiguration.Limits) {
        limit = limits.allocations
        users = Tally(limit: limits.allocationsPerUser)
        addresses = Tally(limit: limits.allocationsPerAddress)
    }

    /// Counts one more, unless a limit says no.
    mutating func take(user: UInt64, address: IPAddress) -> Shortage? {
        if !users.hasRoom(for: user) { return .user }
        if !addresses.hasRoom(for: address.site) { return .address }
        if count >= limit { return .node }
        users.add(user)
        addresses.add(address.site)
        count += 1
        return nil
    }

    mutating func giveBack(user: UInt64, address: IPAddress) {
        users.remove(user)
        addresses.remove(address.site)
        count = max(0, count - 1)
    }
}

extension IPAddress {
    /// What a limit by address counts as one: an IPv4 address, or the /64 of an IPv6 one, which is one customer.
    var site: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }
}
