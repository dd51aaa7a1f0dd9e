import Mailbox
import Wire

/// Clients that change their address and keep their allocation (RFC 8016).
extension Worker where Queue: ~Copyable {
    /// The allocation whose ticket a Refresh request from elsewhere shows (RFC 8016 section 3.2.2).
    func findMoved(_ message: TURNMessage, _ context: TURNContext) -> UnsafeMutablePointer<Allocation>? {
        guard message.stun.method == STUNMethod.refresh, let bytes = message.mobilityTicket,
            let ticket = TURNTicket(bytes)
        else { return nil }
        guard let allocation = relay.allocations.find(ticket.allocation), allocation.pointee.isMobile,
            allocation.pointee.closing == nil, ticket.matches(TURNTicket(allocation.pointee, relay))
        else { return nil }
        return allocation
    }

    /// The client has another 5-tuple now; it has proved who it is.
    mutating func move(_ allocation: UnsafeMutablePointer<Allocation>, to context: TURNContext) {
        unannounce(allocation)
        _ = relay.clients.remove(allocation.pointee.key)
        // The place that was freed takes it.
        _ = relay.clients.insert(context.key, allocation.pointee.handle.raw)
        let template = templateToClient(context.client, mac: context.clientMAC)
        allocation.pointee.key = context.key
        allocation.pointee.client = context.client
        allocation.pointee.isStream = context.client.transport != .udp
        allocation.pointee.toClient = template
        allocation.pointee.clientAddressSum = template.addressSum
        allocation.pointee.clientPortSum = template.portSum
        announce(allocation)
    }
}
