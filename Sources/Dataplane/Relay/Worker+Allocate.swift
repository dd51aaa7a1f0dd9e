import Mailbox
import Wire

/// Allocate requests: to control for verification, and the allocation once it is granted (RFC 8656 section 7.2).
extension Worker where Queue: ~Copyable {
    /// A request with credentials and a good nonce. The caller frees the packet.
    mutating func allocate(
        _ message: TURNMessage, _ username: UnsafeRawBufferPointer, _ context: TURNContext, now: UInt64
    ) {
        let stun = message.stun
        // The answer was lost: the same once more.
        if let allocation = findAllocation(context), allocation.pointee.transaction == stun.transactionID {
            guard allocation.pointee.integrity.verify(stun) else { return challenge(stun, context, 401, now: now) }
            return confirm(allocation, context, now: now)
        }
        // Control has it, however often it is repeated.
        guard relay.asked.find(context.key) == nil else { return }
        var request = TURNRequest(client: context.client, transaction: stun.transactionID)
        guard request.fill(stun.bytes) else { return counters.drop(.oversize) }
        guard let index = relay.pending.take() else { return counters.drop(.relayPuntFull) }
        relay.pending[index].initialize(
            to: PendingAllocate(message, username: relay.usernameHash(username), context))
        guard relay.asked.insert(context.key, UInt64(index)) else {
            relay.pending.giveBack(index)
            return counters.drop(.relayPuntFull)
        }
        relay.wheel.schedule(relay.timer(ofPending: index), at: now &+ PendingAllocate.lifetime)
        guard mailbox.turn.requests.push(request) else {
            forgetRequest(context.key)
            return counters.drop(.relayPuntFull)
        }
        counters.add(.puntedPackets)
    }

    /// Control did not answer, has answered, or the client is gone.
    mutating func forgetRequest(_ key: FlowKey) {
        guard let found = relay.asked.remove(key) else { return }
        let index = UInt32(truncatingIfNeeded: found)
        relay.wheel.cancel(relay.timer(ofPending: index))
        relay.pending.giveBack(index)
    }

    /// The request that control speaks of; forgotten by that.
    private mutating func takeRequest(_ client: TURNClient, _ transaction: STUNTransactionID) -> PendingAllocate? {
        let key: FlowKey
        if client.transport == .udp {
            let port = relay.listeners.alternate(client.local.port) ?? 0
            let interface = neighbors.ownIndex(of: client.local.address) ?? 0
            key = FlowKey(remote: client.endpoint, localPort: Listeners.key(port: port, interface: interface))
        } else {
            key = FlowKey(remote: client.endpoint, localPort: Listeners.stream)
        }
        guard let found = relay.asked.find(key) else { return nil }
        let request = relay.pending[UInt32(truncatingIfNeeded: found)].pointee
        guard request.transaction == transaction else { return nil }
        forgetRequest(key)
        return request
    }

    private func context(_ request: PendingAllocate) -> TURNContext? {
        // Answers take a buffer of their own; there is none to take over.
        guard let packet = pool.allocate() else { return nil }
        return TURNContext(
            client: request.client, key: request.key, clientMAC: request.clientMAC, packet: packet, messageOffset: 0,
            trafficClass: 0, isHandedOver: true)
    }

    mutating func refuseAllocation(_ refuse: RefuseAllocation, now: UInt64) {
        guard let request = takeRequest(refuse.client, refuse.transaction) else { return counters.drop(.staleHandle) }
        guard let context = context(request) else { return counters.drop(.noBuffer) }
        defer { context.packet.free() }
        if refuse.code == 401 {
            return challenge(
                (STUNMethod.allocate, request.transaction, request.length), context, 401, hadCredentials: true, now: now
            )
        }
        var key: TURNIntegrityKey?
        if refuse.keyLength > 0 {
            key = withUnsafeBytes(of: refuse.key) {
                TURNIntegrityKey(key: $0.part(0, min(Int(refuse.keyLength), 32)), usesSHA256: refuse.usesSHA256)
            }
        }
        self.refuse(
            (STUNMethod.allocate, request.transaction), context, key: key, Int(refuse.code), alternate: refuse.alternate
        )
    }

    mutating func grantAllocation(_ grant: GrantAllocation, now: UInt64) {
        guard let request = takeRequest(grant.client, grant.transaction), let context = context(request) else {
            counters.drop(.staleHandle)
            return tell(.allocationFailed(user: grant.user, client: grant.client, code: 0))
        }
        defer { context.packet.free() }
        let key = withUnsafeBytes(of: grant.key) {
            TURNIntegrityKey(key: $0.part(0, min(Int(grant.keyLength), 32)), usesSHA256: grant.usesSHA256)
        }
        var code = relay.clients.find(request.key) != nil ? 437 : request.fault(allowsMobility: relay.allowsMobility)
        if code == nil { code = makeAllocation(request, grant, key, context, now: now) }
        guard let code else { return }
        refuse(
            (STUNMethod.allocate, request.transaction), context, key: key, code, unknown: request.unknownTypes,
            unknownCount: code == 420 ? request.unknownCount : 0)
        tell(.allocationFailed(user: grant.user, client: grant.client, code: UInt16(code)))
    }

    /// Tells control; a full ring loses it, counted.
    private func tell(_ event: TURNEvent) {
        if !mailbox.turn.events.push(event) { counters.drop(.eventFull) }
    }

    /// Makes the allocation and answers; else the code of the error.
    private mutating func makeAllocation(
        _ request: PendingAllocate, _ grant: GrantAllocation, _ key: TURNIntegrityKey, _ context: TURNContext,
        now: UInt64
    ) -> Int? {
        guard let handle = relay.newHandle() else { return 508 }
        guard let account = relay.openAccount(grant.user, bandwidth: grant.bandwidth) else {
            relay.giveBack(handle)
            return 508
        }
        guard let place = relay.allocations.emplace(handle) else {
            relay.closeAccount(account)
            relay.giveBack(handle)
            return 508
        }
        place.initialize(to: newAllocation(handle, request, grant, key, account: account))
        var code = takePorts(for: place, request, now: now)
        if code == nil && !relay.clients.insert(request.key, handle.raw) {
            relay.releaseFamily(isV4: true, of: place)
            relay.releaseFamily(isV4: false, of: place)
            code = 508
        }
        if let code {
            _ = relay.allocations.remove(handle)
            relay.closeAccount(account)
            relay.giveBack(handle)
            return code
        }
        let lifetime = Self.lifetime(request.lifetime, maximum: grant.maximumLifetime)
        place.pointee.expiry = now &+ UInt64(lifetime) &* 1_000_000_000
        relay.wheel.schedule(relay.timer(ofAllocation: handle.index), at: place.pointee.expiry)
        announce(place)
        counters.add(.allocationsOpened)
        tell(.allocationOpened(handle, user: grant.user, client: grant.client))
        confirm(place, context, now: now)
        return nil
    }

    private func newAllocation(
        _ handle: AllocationHandle, _ request: PendingAllocate, _ grant: GrantAllocation, _ key: TURNIntegrityKey,
        account: UInt32
    ) -> Allocation {
        let template = templateToClient(request.client, mac: request.clientMAC)
        return Allocation(
            toClient: template, clientAddressSum: template.addressSum, clientPortSum: template.portSum,
            account: account, isStream: request.client.transport != .udp,
            handle: handle, client: request.client, key: request.key, isAnnounced: false, user: grant.user,
            granted: grant.client.remote, username: request.username, integrity: key, transaction: request.transaction,
            maximumLifetime: grant.maximumLifetime, isMobile: request.wantsTicket)
    }

    func templateToClient(_ client: TURNClient, mac: MACAddress) -> FrameTemplate {
        FrameTemplate(
            source: client.local, destination: client.remote, sourceMAC: neighbors.mac, destinationMAC: mac,
            dontFragment: false)
    }

    /// RFC 8656 section 7.2: what is asked for, at most the maximum, at least the default of 10 minutes.
    static func lifetime(_ requested: UInt32?, maximum: UInt32) -> UInt32 { max(min(requested ?? 600, maximum), 600) }

    /// The relayed ports that the request asks for; else the code of the error.
    private mutating func takePorts(
        for allocation: UnsafeMutablePointer<Allocation>, _ request: PendingAllocate, now: UInt64
    ) -> Int? {
        if let token = request.token {
            guard let reservation = relay.redeem(token) else { return 508 }
            if reservation.isV4 {
                allocation.pointee.portV4 = reservation.port
            } else {
                allocation.pointee.portV6 = reservation.port
            }
            return nil
        }
        let wantsV4 = request.additionalFamily != nil || request.requestedFamily != TURNMessage.familyV6
        let wantsV6 = request.additionalFamily != nil || request.requestedFamily == TURNMessage.familyV6
        if wantsV4 { allocation.pointee.portV4 = takePort(isV4: true, evenPort: request.evenPort) ?? 0 }
        if wantsV6 { allocation.pointee.portV6 = takePort(isV4: false, evenPort: request.evenPort) ?? 0 }
        let hasV4 = allocation.pointee.portV4 != 0
        let hasV6 = allocation.pointee.portV6 != 0
        guard hasV4 || hasV6 else { return relay.address(isV4: wantsV4) == nil ? 440 : 508 }
        if request.additionalFamily != nil && hasV4 != hasV6 {
            allocation.pointee.missingFamily = hasV4 ? TURNMessage.familyV6 : TURNMessage.familyV4
            allocation.pointee.missingCode = relay.address(isV4: hasV6) == nil ? 440 : 508
        }
        if request.evenPort == true {
            // The next port was taken with it.
            let port = hasV4 ? allocation.pointee.portV4 : allocation.pointee.portV6
            if let token = relay.reserve(port &+ 1, isV4: hasV4, now: now) {
                allocation.pointee.reservation = token
            } else {
                relay.releasePort(port &+ 1, isV4: hasV4)
                relay.releaseFamily(isV4: hasV4, of: allocation)
                return 508
            }
        }
        return nil
    }

    private mutating func takePort(isV4: Bool, evenPort: Bool?) -> UInt16? {
        guard let pair = evenPort else { return isV4 ? relay.portsV4.take() : relay.portsV6.take() }
        return isV4 ? relay.portsV4.takeEven(pair: pair) : relay.portsV6.takeEven(pair: pair)
    }

    /// The success response, the same each time but for the rest of the lifetime.
    private mutating func confirm(
        _ allocation: UnsafeMutablePointer<Allocation>, _ context: TURNContext, now: UInt64
    ) {
        let content = allocation.pointee
        succeed((STUNMethod.allocate, content.transaction), context, key: content.integrity) { writer, relay in
            if content.portV4 != 0, let address = relay.v4?.announced {
                let relayed = Endpoint(address: address, port: content.portV4)
                writer.add(STUNAttributeType.xorRelayedAddress, xored: relayed)
            }
            if content.portV6 != 0, let address = relay.v6?.announced {
                let relayed = Endpoint(address: address, port: content.portV6)
                writer.add(STUNAttributeType.xorRelayedAddress, xored: relayed)
            }
            switch content.missingCode {
            case 0: break
            case 440: writer.addAddressError(440, family: content.missingFamily, reason: "Address Family not Supported")
            default: writer.addAddressError(508, family: content.missingFamily, reason: "Insufficient Capacity")
            }
            let rest = (content.expiry &- now &+ 999_999_999) / 1_000_000_000
            writer.add(STUNAttributeType.lifetime, UInt32(truncatingIfNeeded: rest))
            if content.reservation != 0 { writer.add(STUNAttributeType.reservationToken, content.reservation) }
            writer.add(STUNAttributeType.xorMappedAddress, xored: content.client.remote)
            if content.isMobile { TURNTicket(content, relay).add(to: &writer) }
            if relay.texts.software.count > 0 { writer.add(STUNAttributeType.software, relay.texts.software) }
        }
    }
}
