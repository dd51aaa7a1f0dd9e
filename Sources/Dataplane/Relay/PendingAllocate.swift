import Mailbox
import Wire

/// The parameters of an Allocate request whose credentials control is verifying.
struct PendingAllocate: BitwiseCopyable {
    static let capacity = 1_024
    /// How long control may take, ns.
    static let lifetime: UInt64 = 3_000_000_000

    let client: TURNClient
    let key: FlowKey
    let clientMAC: MACAddress
    let transaction: STUNTransactionID
    /// Bytes of the request.
    let length: Int
    let username: UInt64
    let requestedFamily: UInt8?
    let additionalFamily: UInt8?
    let evenPort: Bool?
    let transport: UInt8?
    let token: UInt64?
    let lifetime: UInt32?
    let wantsTicket: Bool
    let isMalformed: Bool
    let unknownTypes: InlineArray<8, UInt16>
    let unknownCount: Int

    init(_ message: TURNMessage, username: UInt64, _ context: TURNContext) {
        client = context.client
        key = context.key
        clientMAC = context.clientMAC
        transaction = message.stun.transactionID
        length = message.stun.bytes.count
        self.username = username
        requestedFamily = message.requestedFamily
        additionalFamily = message.additionalFamily
        evenPort = message.evenPort
        transport = message.requestedTransport
        token = message.reservationToken
        lifetime = message.lifetime
        wantsTicket = message.mobilityTicket != nil
        isMalformed = message.isMalformed
        unknownTypes = message.stun.unknownTypes
        unknownCount = message.stun.unknownCount
    }

    /// What is wrong with its form: a code, or nil (RFC 8656 section 7.2; RFC 8016 section 3.2.1).
    func fault(allowsMobility: Bool) -> Int? {
        if unknownCount > 0 { return 420 }
        guard !isMalformed, let transport else { return 400 }
        if transport != TURNMessage.udp { return 442 }
        if token != nil && (evenPort != nil || requestedFamily != nil || additionalFamily != nil) { return 400 }
        if let additionalFamily {
            if requestedFamily != nil || evenPort == true || additionalFamily != TURNMessage.familyV6 { return 400 }
        }
        if let requestedFamily, !(TURNMessage.familyV4...TURNMessage.familyV6).contains(requestedFamily) { return 440 }
        if wantsTicket && !allowsMobility { return 405 }
        return nil
    }
}
