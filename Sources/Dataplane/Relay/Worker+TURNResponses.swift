import Mailbox
import Wire

/// Responses to STUN and TURN requests.
extension Worker where Queue: ~Copyable {
    /// Room for any response of ours: two relayed addresses, ticket, texts of 127 characters and both tags.
    private static var room: Int { 768 }

    /// Writes and sends a response: `body` adds the attributes, and with `key` it is signed. False when the
    /// sender's token bucket is empty (`isLimited`), or there is no buffer.
    private mutating func respond(
        _ message: (method: UInt16, id: STUNTransactionID, count: Int), _ context: TURNContext, isError: Bool,
        key: TURNIntegrityKey?, isLimited: Bool, now: UInt64,
        _ body: (inout STUNWriter, borrowing Relay) -> Void
    ) -> Bool {
        guard let packet = pool.allocate() else {
            counters.drop(.noBuffer)
            return false
        }
        let offset = 64
        let room = UnsafeMutableRawBufferPointer(start: packet.data + offset, count: Self.room)
        guard
            var writer = STUNWriter(
                into: room, class: isError ? .error : .success, method: message.method, transactionID: message.id)
        else {
            packet.free()
            return false
        }
        body(&writer, relay)
        key?.sign(&writer)
        writer.addFingerprint()
        let length = writer.finish()
        guard length > 0, packet.setLength(offset &+ length) else {
            packet.free()
            return false
        }
        if isLimited
            && !relay.sources.mayAnswer(
                context.client.remote.address, request: message.count, response: length, now: now)
        {
            drop(packet, .relayUnauthenticated)
            return false
        }
        return deliver(packet, offset: offset, length: length, context)
    }

    /// To the client that asked.
    private mutating func deliver(_ packet: Mbuf, offset: Int, length: Int, _ context: TURNContext) -> Bool {
        if context.client.transport != .udp {
            var message = TURNStreamMessage(context.client)
            let isFilled = message.fill(packet.bytes.part(offset, length))
            packet.free()
            guard isFilled, mailbox.turn.departures.push(message) else {
                counters.drop(.relayStreamFull)
                return false
            }
            return true
        }
        let template = FrameTemplate(
            source: context.client.local, destination: context.client.remote, sourceMAC: neighbors.mac,
            destinationMAC: context.clientMAC)
        let isFramed = withUnsafePointer(to: template) {
            reframe(packet, offset: offset, length: length, $0, old: nil, new: 0, trafficClass: 0)
        }
        if isFramed { outbox.add(packet) }
        return isFramed
    }

    private func parts(_ message: STUNMessage) -> (method: UInt16, id: STUNTransactionID, count: Int) {
        (message.method, message.transactionID, message.bytes.count)
    }

    /// A response to an unauthenticated request, limited by the source address's token bucket.
    mutating func respondUnauthenticated(
        _ message: STUNMessage, _ context: TURNContext, isError: Bool, now: UInt64,
        _ body: (inout STUNWriter, borrowing Relay) -> Void
    ) -> Bool {
        respond(parts(message), context, isError: isError, key: nil, isLimited: true, now: now, body)
    }

    /// 401 or 438 with REALM, a fresh NONCE and PASSWORD-ALGORITHMS (RFC 8489 section 9.2.4). Not signed.
    mutating func challenge(_ message: STUNMessage, _ context: TURNContext, _ code: Int, now: UInt64) {
        challenge(parts(message), context, code, hadCredentials: message.hasIntegrity, now: now)
    }

    mutating func challenge(
        _ message: (method: UInt16, id: STUNTransactionID, count: Int), _ context: TURNContext, _ code: Int,
        hadCredentials: Bool, now: UInt64
    ) {
        let address = context.client.remote.address
        let least = relay.texts.shortestChallenge
        guard relay.sources.canAnswer(address, request: message.count, response: least, now: now) else {
            return counters.drop(.relayUnauthenticated)
        }
        let isSent = respond(message, context, isError: true, key: nil, isLimited: true, now: now) { writer, relay in
            Self.addError(code, to: &writer)
            if let room = writer.reserve(STUNAttributeType.nonce, count: TURNNonces.length) {
                relay.nonces.write(to: room, address: address, now: now)
            }
            writer.add(STUNAttributeType.realm, relay.texts.realm)
            writer.add(STUNAttributeType.passwordAlgorithms, TURNMessage.passwordAlgorithms)
        }
        if isSent { counters.add(hadCredentials ? Self.counter(of: code) : .turnChallenges) }
    }

    /// An error response to an unauthenticated request; it has no key to be signed with.
    mutating func refuseUnauthenticated(_ message: STUNMessage, _ context: TURNContext, _ code: Int, now: UInt64) {
        let isSent = respondUnauthenticated(message, context, isError: true, now: now) { writer, _ in
            Self.addError(code, to: &writer)
        }
        if isSent { counters.add(Self.counter(of: code)) }
    }

    /// A signed error response about an allocation.
    mutating func refuse(
        _ message: TURNMessage, _ context: TURNContext, _ allocation: UnsafeMutablePointer<Allocation>, _ code: Int
    ) {
        let stun = message.stun
        refuse(
            (stun.method, stun.transactionID), context, key: allocation.pointee.integrity, code,
            unknown: stun.unknownTypes, unknownCount: code == 420 ? stun.unknownCount : 0)
    }

    /// A signed error response; with `key` nil it is not.
    mutating func refuse(
        _ message: (method: UInt16, id: STUNTransactionID), _ context: TURNContext, key: TURNIntegrityKey?, _ code: Int,
        unknown: InlineArray<8, UInt16> = .init(repeating: 0), unknownCount: Int = 0, alternate: Endpoint? = nil
    ) {
        let isSent = respond(
            (message.method, message.id, 0), context, isError: true, key: key, isLimited: false, now: 0
        ) { writer, _ in
            Self.addError(code, to: &writer)
            if unknownCount > 0 { writer.addUnknownAttributes(unknown, count: unknownCount) }
            if let alternate { writer.addAlternateServer(alternate) }
        }
        if isSent { counters.add(Self.counter(of: code)) }
    }

    /// A signed success response.
    mutating func succeed(
        _ message: (method: UInt16, id: STUNTransactionID), _ context: TURNContext, key: TURNIntegrityKey,
        _ body: (inout STUNWriter, borrowing Relay) -> Void
    ) {
        _ = respond((message.method, message.id, 0), context, isError: false, key: key, isLimited: false, now: 0, body)
    }

    private static func addError(_ code: Int, to writer: inout STUNWriter) {
        switch code {
        case 300: writer.addError(300, reason: "Try Alternate")
        case 400: writer.addError(400, reason: "Bad Request")
        case 401: writer.addError(401, reason: "Unauthenticated")
        case 403: writer.addError(403, reason: "Forbidden")
        case 405: writer.addError(405, reason: "Mobility Forbidden")
        case 420: writer.addError(420, reason: "Unknown Attribute")
        case 437: writer.addError(437, reason: "Allocation Mismatch")
        case 438: writer.addError(438, reason: "Stale Nonce")
        case 440: writer.addError(440, reason: "Address Family not Supported")
        case 441: writer.addError(441, reason: "Wrong Credentials")
        case 442: writer.addError(442, reason: "Unsupported Transport Protocol")
        case 443: writer.addError(443, reason: "Peer Address Family Mismatch")
        case 486: writer.addError(486, reason: "Allocation Quota Reached")
        case 508: writer.addError(508, reason: "Insufficient Capacity")
        default: writer.addError(500, reason: "Server Error")
        }
    }

    private static func counter(of code: Int) -> Counter {
        switch code {
        case 400: .turnRefused400
        case 401: .turnRefused401
        case 403: .turnRefused403
        case 405: .turnRefused405
        case 420: .turnRefused420
        case 437: .turnRefused437
        case 438: .turnRefused438
        case 440: .turnRefused440
        case 441: .turnRefused441
        case 442: .turnRefused442
        case 443: .turnRefused443
        case 486: .turnRefused486
        case 508: .turnRefused508
        default: .turnRefusedOther
        }
    }
}
