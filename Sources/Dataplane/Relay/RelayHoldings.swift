import Mailbox
import Wire

/// What allocations hold: permissions, channels and ports. Whatever is taken here is released here.
extension Relay {
    private static func permissionKey(_ address: IPAddress, port: UInt16) -> FlowKey {
        FlowKey(remote: Endpoint(address: address, port: 0), localPort: port)
    }

    private static func numberKey(_ allocation: UInt32, _ number: UInt16) -> FlowKey {
        FlowKey(remote: Endpoint(address: IPAddress(high: .max, low: UInt64(allocation)), port: number), localPort: 0)
    }

    /// The Permission for a peer's address at a relayed port, expired or not.
    func permission(for address: IPAddress, port: UInt16) -> UInt32? {
        permitted.find(Self.permissionKey(address, port: port)).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The Channel of an allocation by number.
    func channel(_ number: UInt16, of allocation: UnsafeMutablePointer<Allocation>) -> UInt32? {
        let near = allocation.pointee.near[Int(number) & (Allocation.nearChannels &- 1)]
        if near != Link.none && channels[near].pointee.number == number { return near }
        return numbers.find(Self.numberKey(UInt32(allocation.pointee.handle.index), number))
            .map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The Channel for a peer at a relayed port.
    func channel(for peer: Endpoint, port: UInt16) -> UInt32? {
        peers.find(FlowKey(remote: peer, localPort: port)).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Whether so many more permissions of the allocation find place, and pays for them as new peers of its user.
    mutating func mayAdd(_ count: Int, to allocation: UnsafeMutablePointer<Allocation>, now: UInt64) -> Bool {
        guard count > 0 else { return true }
        guard allocation.pointee.permissionCount &+ count <= limits.permissions, permissions.freeCount >= count,
            permitted.count &+ count <= permitted.capacity
        else { return false }
        let cost = 1_000_000_000 / UInt64(max(limits.peerRate, 1))
        let account = accounts[allocation.pointee.account]
        let start = max(account.pointee.peersUntil, now)
        guard start &- now <= cost &* UInt64(max(limits.peerBurst, 1)) else { return false }
        account.pointee.peersUntil = start &+ cost &* UInt64(count)
        return true
    }

    /// Adds or renews a permission, for `lifetime` ns at least; false when there is no place, which `mayAdd` has asked before.
    mutating func permit(
        _ address: IPAddress, named: IPAddress, by allocation: UnsafeMutablePointer<Allocation>, lifetime: UInt64,
        now: UInt64
    ) -> Bool {
        let port = allocation.pointee.port(isV4: address.isV4)
        var expiry = now &+ lifetime
        if let index = permission(for: address, port: port) {
            // A channel's lasts longer.
            expiry = max(expiry, permissions[index].pointee.expiry)
            permissions[index].pointee.expiry = expiry
            permissions[index].pointee.named = named
            wheel.schedule(timer(ofPermission: index), at: expiry)
        } else {
            guard let index = permissions.take() else { return false }
            guard permitted.insert(Self.permissionKey(address, port: port), UInt64(index)) else {
                permissions.giveBack(index)
                return false
            }
            permissions[index].initialize(
                to: Permission(
                    address: address, named: named, expiry: expiry, allocation: UInt32(allocation.pointee.handle.index),
                    next: allocation.pointee.firstPermission))
            allocation.pointee.firstPermission = index
            allocation.pointee.permissionCount &+= 1
            wheel.schedule(timer(ofPermission: index), at: expiry)
        }
        return true
    }

    /// Binds a channel that is free to a peer that has none.
    mutating func bind(
        _ channel: Channel, to allocation: UnsafeMutablePointer<Allocation>
    ) -> Bool {
        guard channels.freeCount > 0, let index = channels.take() else { return false }
        let port = allocation.pointee.port(isV4: channel.peerAddress.isV4)
        let key = FlowKey(remote: channel.peer, localPort: port)
        guard peers.insert(key, UInt64(index)) else {
            channels.giveBack(index)
            return false
        }
        guard numbers.insert(Self.numberKey(channel.allocation, channel.number), UInt64(index)) else {
            _ = peers.remove(key)
            channels.giveBack(index)
            return false
        }
        let place = channels[index]
        place.initialize(to: channel)
        place.pointee.next = allocation.pointee.firstChannel
        allocation.pointee.firstChannel = index
        allocation.pointee.channelCount &+= 1
        let near = Int(channel.number) & (Allocation.nearChannels &- 1)
        if allocation.pointee.near[near] == Link.none { allocation.pointee.near[near] = index }
        wheel.schedule(timer(ofChannel: index), at: channel.expiry)
        return true
    }

    mutating func removePermission(_ index: UInt32) {
        let permission = permissions[index].pointee
        let allocation = allocations.element(at: Int(permission.allocation))
        var link = allocation.pointee.firstPermission
        if link == index {
            allocation.pointee.firstPermission = permission.next
        } else {
            while permissions[link].pointee.next != index { link = permissions[link].pointee.next }
            permissions[link].pointee.next = permission.next
        }
        allocation.pointee.permissionCount &-= 1
        let port = allocation.pointee.port(isV4: permission.address.isV4)
        _ = permitted.remove(Self.permissionKey(permission.address, port: port))
        wheel.cancel(timer(ofPermission: index))
        permissions[index].pointee.allocation = Link.none
        permissions.giveBack(index)
    }

    mutating func removeChannel(_ index: UInt32) {
        let channel = channels[index].pointee
        let allocation = allocations.element(at: Int(channel.allocation))
        var link = allocation.pointee.firstChannel
        if link == index {
            allocation.pointee.firstChannel = channel.next
        } else {
            while channels[link].pointee.next != index { link = channels[link].pointee.next }
            channels[link].pointee.next = channel.next
        }
        allocation.pointee.channelCount &-= 1
        let near = Int(channel.number) & (Allocation.nearChannels &- 1)
        if allocation.pointee.near[near] == index { allocation.pointee.near[near] = Link.none }
        let port = allocation.pointee.port(isV4: channel.peerAddress.isV4)
        _ = peers.remove(FlowKey(remote: channel.peer, localPort: port))
        _ = numbers.remove(Self.numberKey(channel.allocation, channel.number))
        wheel.cancel(timer(ofChannel: index))
        channels[index].pointee.allocation = Link.none
        channels.giveBack(index)
    }

    /// Gives back the relayed address of a family with all that goes through it.
    mutating func releaseFamily(isV4: Bool, of allocation: UnsafeMutablePointer<Allocation>) {
        let port = allocation.pointee.port(isV4: isV4)
        guard port != 0 else { return }
        var index = allocation.pointee.firstChannel
        while index != Link.none {
            let next = channels[index].pointee.next
            if channels[index].pointee.peerAddress.isV4 == isV4 { removeChannel(index) }
            index = next
        }
        index = allocation.pointee.firstPermission
        while index != Link.none {
            let next = permissions[index].pointee.next
            if permissions[index].pointee.address.isV4 == isV4 { removePermission(index) }
            index = next
        }
        releasePort(port, isV4: isV4)
        if isV4 { allocation.pointee.portV4 = 0 } else { allocation.pointee.portV6 = 0 }
    }
}

/// A port that waits for an Allocate request with its token (RFC 8656 section 7.2).
struct PortReservation: BitwiseCopyable {
    static let capacity = 256
    /// At least 30 seconds.
    static let lifetime: UInt64 = 30_000_000_000

    var token: UInt64
    var port: UInt16
    var isV4: Bool
}

extension Relay {
    /// Keeps a port that is taken for whoever shows the token; nil when too many wait.
    mutating func reserve(_ port: UInt16, isV4: Bool, now: UInt64) -> UInt64? {
        guard let index = reservations.take() else { return nil }
        // Worker 8 bits, place 16, secret 40; never 0.
        let token = UInt64(number) << 56 | UInt64(index) << 40 | newToken() & 0xff_ffff_fffe | 1
        reservations[index].initialize(to: PortReservation(token: token, port: port, isV4: isV4))
        wheel.schedule(timer(ofReservation: index), at: now &+ PortReservation.lifetime)
        return token
    }

    /// The worker that gave a token out.
    static func worker(ofToken token: UInt64) -> Int { Int(token >> 56) }

    /// Ends a reservation, whose port is the caller's then; nil for a token that is not good.
    mutating func redeem(_ token: UInt64) -> PortReservation? {
        let index = UInt32(token >> 40 & 0xffff)
        guard Self.worker(ofToken: token) == number, Int(index) < reservations.capacity,
            wheel.isScheduled(timer(ofReservation: index)), reservations[index].pointee.token == token
        else { return nil }
        wheel.cancel(timer(ofReservation: index))
        reservations.giveBack(index)
        return reservations[index].pointee
    }

    /// Nobody came for it.
    mutating func expireReservation(_ index: UInt32) {
        releasePort(reservations[index].pointee.port, isV4: reservations[index].pointee.isV4)
        reservations.giveBack(index)
    }
}
