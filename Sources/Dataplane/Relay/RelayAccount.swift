import Wire

/// What all allocations of one user on this worker share: browsers make an allocation for each of a relay's addresses and
/// transports, and use one.
struct RelayAccount: BitwiseCopyable {
    let user: UInt64
    var meter: ByteMeter
    /// Theoretical arrival time of the next new peer (GCRA), ns.
    var peersUntil: UInt64 = 0
    /// How many allocations it has here.
    var allocations: UInt32 = 0
}

extension Relay {
    static func accountKey(_ user: UInt64) -> FlowKey {
        FlowKey(remote: Endpoint(address: IPAddress(high: 0, low: user), port: 0), localPort: 0)
    }

    /// The account for a user's new allocation. `bandwidth`, bytes a second, is that of the user's first grant. Nil when the
    /// table is full, which cannot be while there is a free allocation.
    mutating func openAccount(_ user: UInt64, bandwidth: UInt64) -> UInt32? {
        let key = Self.accountKey(user)
        if let found = users.find(key) {
            let index = UInt32(truncatingIfNeeded: found)
            accounts[index].pointee.allocations &+= 1
            return index
        }
        guard let index = accounts.take() else { return nil }
        guard users.insert(key, UInt64(index)) else {
            accounts.giveBack(index)
            return nil
        }
        accounts[index].initialize(
            to: RelayAccount(user: user, meter: ByteMeter(bytesPerSecond: bandwidth), allocations: 1))
        return index
    }

    /// An allocation of the account has ended.
    mutating func closeAccount(_ index: UInt32) {
        accounts[index].pointee.allocations &-= 1
        guard accounts[index].pointee.allocations == 0 else { return }
        _ = users.remove(Self.accountKey(accounts[index].pointee.user))
        accounts.giveBack(index)
    }

    /// Whether the allocation's user may relay so many bytes more.
    @inline(__always)
    func admits(_ bytes: Int, of allocation: UnsafeMutablePointer<Allocation>, now: UInt64) -> Bool {
        accounts[allocation.pointee.account].pointee.meter.admits(bytes, now: now)
    }
}
