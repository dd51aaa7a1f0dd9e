import Wire

/// Walks all tables: for tests and fuzzers.
extension Relay {
    /// What contradicts itself, if anything.
    func fault() -> String? {
        var held = Held()
        for index in 0..<allocations.capacity where !allocations.handle(at: index).isNone {
            let allocation = allocations.element(at: index)
            if allocation.pointee.closing != nil { continue }
            if clients.find(allocation.pointee.key) != allocation.pointee.handle.raw { return "a client is lost" }
            if !wheel.isScheduled(timer(ofAllocation: index)) { return "an allocation never ends" }
            held.allocations += 1
            let account = accounts[allocation.pointee.account]
            if account.pointee.user != allocation.pointee.user { return "an account is lost" }
            held.ports += (allocation.pointee.portV4 != 0 ? 1 : 0) + (allocation.pointee.portV6 != 0 ? 1 : 0)
            if let fault = audit(allocation, &held) { return fault }
        }
        if permissions.capacity - permissions.freeCount != held.permissions || permitted.count != held.permissions {
            return "a permission leaked"
        }
        if let fault = auditAccounts(allocations: held.allocations) { return fault }
        if channels.capacity - channels.freeCount != held.channels || peers.count != held.channels
            || numbers.count != held.channels
        {
            return "a channel leaked"
        }
        let reserved = reservations.capacity - reservations.freeCount
        let taken = portsV4.capacity - portsV4.freeCount + portsV6.capacity - portsV6.freeCount
        if taken != held.ports + reserved { return "a port leaked: \(taken) taken, \(held.ports) used" }
        return pending.capacity - pending.freeCount == asked.count ? nil : "a request leaked"
    }

    private func auditAccounts(allocations open: Int) -> String? {
        var counted = 0
        var inUse = 0
        for index in 0..<UInt32(accounts.capacity) {
            let account = accounts[index]
            guard users.find(Self.accountKey(account.pointee.user)) == UInt64(index) else { continue }
            inUse += 1
            counted += Int(account.pointee.allocations)
        }
        guard inUse == users.count, inUse == accounts.capacity - accounts.freeCount else { return "an account leaked" }
        return counted == open ? nil : "accounts are miscounted"
    }

    private struct Held {
        var allocations = 0
        var ports = 0
        var permissions = 0
        var channels = 0
    }

    private func audit(_ allocation: UnsafeMutablePointer<Allocation>, _ held: inout Held) -> String? {
        let index = UInt32(allocation.pointee.handle.index)
        var count = 0
        var link = allocation.pointee.firstPermission
        while link != Link.none, count <= permissions.capacity {
            let permission = permissions[link].pointee
            let port = allocation.pointee.port(isV4: permission.address.isV4)
            guard permission.allocation == index, self.permission(for: permission.address, port: port) == link,
                wheel.isScheduled(timer(ofPermission: link))
            else { return "a permission is in the wrong place" }
            count += 1
            link = permission.next
        }
        if count != allocation.pointee.permissionCount { return "permissions are miscounted" }
        held.permissions += count
        count = 0
        link = allocation.pointee.firstChannel
        while link != Link.none, count <= channels.capacity {
            let channel = channels[link].pointee
            let port = allocation.pointee.port(isV4: channel.peerAddress.isV4)
            guard channel.allocation == index, self.channel(for: channel.peer, port: port) == link,
                self.channel(channel.number, of: allocation) == link, wheel.isScheduled(timer(ofChannel: link))
            else { return "a channel is in the wrong place" }
            count += 1
            link = channel.next
        }
        held.channels += count
        return count == allocation.pointee.channelCount ? nil : "channels are miscounted"
    }
}
