import Mailbox
import Wire

/// Authenticated and well-formed requests about an allocation. The caller frees the packet.
extension Worker where Queue: ~Copyable {
    /// RFC 8656 section 8.2, RFC 8016 section 3.2.2.
    mutating func refresh(
        _ message: TURNMessage, _ context: TURNContext, _ allocation: UnsafeMutablePointer<Allocation>, now: UInt64
    ) {
        if let family = message.requestedFamily {
            let isHeld =
                family == TURNMessage.familyV4 && allocation.pointee.portV4 != 0
                || family == TURNMessage.familyV6 && allocation.pointee.portV6 != 0
            guard isHeld else { return refuse(message, context, allocation, 443) }
        }
        guard message.mobilityTicket == nil || allocation.pointee.isMobile else {
            return refuse(message, context, allocation, 405)
        }
        let isEnd = message.lifetime == 0
        let lifetime = isEnd ? 0 : Self.lifetime(message.lifetime, maximum: allocation.pointee.maximumLifetime)
        let renewsTicket = message.mobilityTicket != nil && !isEnd
        if renewsTicket { allocation.pointee.tickets &+= 1 }
        let content = allocation.pointee
        succeed((STUNMethod.refresh, message.stun.transactionID), context, key: content.integrity) { writer, relay in
            writer.add(STUNAttributeType.lifetime, lifetime)
            if renewsTicket { TURNTicket(content, relay).add(to: &writer) }
        }
        guard isEnd else {
            allocation.pointee.expiry = now &+ UInt64(lifetime) &* 1_000_000_000
            return relay.wheel.schedule(relay.timer(ofAllocation: content.handle.index), at: allocation.pointee.expiry)
        }
        if let family = message.requestedFamily, content.portV4 != 0, content.portV6 != 0 {
            return relay.releaseFamily(isV4: family == TURNMessage.familyV4, of: allocation)
        }
        closeAllocation(allocation, .deleted, now: now)
    }

    /// Whether packets to and from the peer may be relayed: a code, or nil. `wire` is its address on our wire.
    private func fault(
        _ peer: Endpoint?, _ allocation: UnsafeMutablePointer<Allocation>, wire: inout (address: IPAddress, isOwn: Bool)
    ) -> Int? {
        // An IPv4-mapped IPv6 address: forbidden; without an IPv6 allocation it is the wrong family.
        guard let peer else { return allocation.pointee.port(isV4: false) == 0 ? 443 : 403 }
        guard allocation.pointee.port(isV4: peer.address.isV4) != 0 else { return 443 }
        guard let local = localPeer(peer.address) else { return 403 }
        wire = local
        return nil
    }

    /// RFC 8656 section 10.2: all of them or none.
    mutating func createPermission(
        _ message: TURNMessage, _ context: TURNContext, _ allocation: UnsafeMutablePointer<Allocation>, now: UInt64
    ) {
        guard message.peerCount > 0 else { return refuse(message, context, allocation, 400) }
        var wire = (address: IPAddress(v4: 0), isOwn: false)
        var newcomers = 0
        let end = message.stun.coveredEnd
        for attribute in message.stun.attributes
        where attribute.type == STUNAttributeType.xorPeerAddress && attribute.offset < end {
            if let code = fault(message.peer(of: attribute.value), allocation, wire: &wire) {
                return refuse(message, context, allocation, code)
            }
            let port = allocation.pointee.port(isV4: wire.address.isV4)
            if relay.permission(for: wire.address, port: port) == nil { newcomers &+= 1 }
        }
        guard relay.mayAdd(newcomers, to: allocation, now: now) else {
            return refuse(message, context, allocation, 508)
        }
        for attribute in message.stun.attributes
        where attribute.type == STUNAttributeType.xorPeerAddress && attribute.offset < end {
            guard let peer = message.peer(of: attribute.value), fault(peer, allocation, wire: &wire) == nil else {
                continue
            }
            _ = relay.permit(
                wire.address, named: peer.address, by: allocation, lifetime: Permission.lifetime, now: now)
        }
        succeed((STUNMethod.createPermission, message.stun.transactionID), context, key: allocation.pointee.integrity) {
            _, _ in
        }
    }

    /// RFC 8656 section 12.2.
    mutating func bindChannel(
        _ message: TURNMessage, _ context: TURNContext, _ allocation: UnsafeMutablePointer<Allocation>, now: UInt64
    ) {
        guard let number = message.channel, relay.channelNumbers ~= number, message.peerCount == 1 else {
            return refuse(message, context, allocation, 400)
        }
        var wire = (address: IPAddress(v4: 0), isOwn: false)
        if let code = fault(message.peer, allocation, wire: &wire) { return refuse(message, context, allocation, code) }
        guard let named = message.peer, named.port != 0 else { return refuse(message, context, allocation, 400) }
        let peer = Endpoint(address: wire.address, port: named.port)
        if wire.isOwn && !isServed(peer) { return refuse(message, context, allocation, 403) }
        let port = allocation.pointee.port(isV4: peer.address.isV4)
        let ofNumber = relay.channel(number, of: allocation)
        let ofPeer = relay.channel(for: peer, port: port)
        // The number is another peer's, or the peer has another number.
        guard ofNumber == ofPeer else { return refuse(message, context, allocation, 400) }
        let isNewcomer = relay.permission(for: peer.address, port: port) == nil
        guard
            ofNumber != nil || allocation.pointee.channelCount < relay.limits.channels && relay.channels.freeCount > 0,
            relay.mayAdd(isNewcomer ? 1 : 0, to: allocation, now: now),
            // RFC 8656 section 12 has a permission of 300 s here, which clients then renew by CreatePermission. Some renew their
            // channels alone, as coturn lets them: a channel carries its permission.
            relay.permit(
                peer.address, named: named.address, by: allocation, lifetime: Channel.lifetime, now: now)
        else { return refuse(message, context, allocation, 508) }
        if let place = ofNumber {
            relay.channels[place].pointee.expiry = now &+ Channel.lifetime
            relay.wheel.schedule(relay.timer(ofChannel: place), at: now &+ Channel.lifetime)
        } else if let channel = newChannel(number, peer, isOwn: wire.isOwn, allocation, port: port, now: now) {
            guard relay.bind(channel, to: allocation) else { return refuse(message, context, allocation, 508) }
        }
        succeed((STUNMethod.channelBind, message.stun.transactionID), context, key: allocation.pointee.integrity) {
            _, _ in
        }
    }

    private mutating func newChannel(
        _ number: UInt16, _ peer: Endpoint, isOwn: Bool, _ allocation: UnsafeMutablePointer<Allocation>, port: UInt16,
        now: UInt64
    ) -> Channel? {
        guard let template = template(toPeer: peer, port: port, mac: neighbors.mac) else { return nil }
        var channel = Channel(
            toPeer: template, number: number, isOwn: isOwn, allocation: UInt32(allocation.pointee.handle.index),
            peer: peer, now: now)
        // Resolved early, so that the first packet need not wait.
        withUnsafeMutablePointer(to: &channel) { findRoute($0, now: now) }
        return channel
    }
}
