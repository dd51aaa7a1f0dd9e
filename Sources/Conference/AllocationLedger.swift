import Wire

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

    init(_ limits: AllocationLimits) {
        limit = limits.allocations
        users = Tally(limit: limits.allocationsPerUser)
        addresses = Tally(limit: limits.allocationsPerAddress)
    }

    /// Counts one more, unless a limit says no.
    mutating func take(user: UInt64, address: IPAddress) -> Shortage? {
        if !users.hasRoom(for: user) { return .user }
        if !addresses.hasRoom(for: address.subscriber) { return .address }
        if count >= limit { return .node }
        users.add(user)
        addresses.add(address.subscriber)
        count += 1
        return nil
    }

    mutating func giveBack(user: UInt64, address: IPAddress) {
        users.remove(user)
        addresses.remove(address.subscriber)
        count = max(0, count - 1)
    }
}
