import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A STUN message as a test looks at it.
struct TURNAnswer {
    let bytes: [UInt8]

    func read<Result>(_ body: (STUNMessage) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { try body(STUNMessage($0)!) }
    }

    var errorCode: Int? { read { $0.errorCode } }
    var isSuccess: Bool { read { $0.messageClass == .success } }
    var isSigned: Bool { read { $0.hasIntegrity } }
    var method: UInt16 { read { $0.method } }
    var count: Int { bytes.count }

    func has(_ type: UInt16) -> Bool { read { $0.attribute(type) != nil } }
    func value(_ type: UInt16) -> [UInt8]? { read { message in message.attribute(type).map { Array($0.value) } } }
    func number(_ type: UInt16) -> UInt32? {
        value(type).flatMap { $0.count == 4 ? $0.reduce(0) { $0 << 8 | UInt32($1) } : nil }
    }
    /// All addresses of an attribute in XOR form.
    func endpoints(_ type: UInt16) -> [Endpoint] {
        read { message in
            message.attributes.filter { $0.type == type }.compactMap { message.endpoint(xored: $0.value) }
        }
    }
    func isSigned(by key: [UInt8], sha256: Bool) -> Bool {
        read { message in
            key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: sha256).verify(message) }
        }
    }
}

/// A TURN client over UDP, one request at a time.
final class TURNUser {
    let stage: TURNStage
    var endpoint: Endpoint
    var server: Endpoint
    let name: String
    var key: [UInt8]
    var usesSHA256 = false
    var nonce: [UInt8] = []
    /// Of IPv4, and of IPv6.
    var relayed: Endpoint!
    var relayedV6: Endpoint!
    var lastTransaction = STUNTransactionID(high: 0, low: 0)
    /// What came that was no response.
    private(set) var arrivals: [TURNStage.Received] = []

    init(_ stage: TURNStage, _ address: String, name: String = "user", server: Endpoint? = nil) {
        self.stage = stage
        endpoint = Endpoint(address)!
        self.name = name
        self.server = server ?? (endpoint.address.isV4 ? TURNStage.media : TURNStage.mediaV6)
        key = TURNStage.key(of: name)
    }

    /// A message with the attributes of `body`, with credentials unless `isBare`.
    func message(
        _ method: UInt16, class messageClass: STUNClass = .request, isBare: Bool = false,
        transaction: STUNTransactionID? = nil, username: String? = nil, _ body: (inout STUNWriter) -> Void = { _ in }
    ) -> [UInt8] {
        lastTransaction =
            transaction
            ?? STUNTransactionID(
                high: UInt32(truncatingIfNeeded: stage.world.random.next()), low: stage.world.random.next())
        var bytes = [UInt8](repeating: 0, count: 1_600)
        let length = bytes.withUnsafeMutableBytes { room in
            var writer = STUNWriter(into: room, class: messageClass, method: method, transactionID: lastTransaction)!
            body(&writer)
            if !isBare {
                Array((username ?? name).utf8).withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
                Array(TURNStage.realm.utf8).withUnsafeBytes { writer.add(STUNAttributeType.realm, $0) }
                nonce.withUnsafeBytes { writer.add(STUNAttributeType.nonce, $0) }
                if usesSHA256 {
                    writer.add(STUNAttributeType.passwordAlgorithms, TURNMessage.passwordAlgorithms)
                    writer.add(STUNAttributeType.passwordAlgorithm, UInt32(0x0002_0000))
                }
                key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: usesSHA256) }.sign(&writer)
            }
            if messageClass == .request { writer.addFingerprint() }
            return writer.finish()
        }
        return Array(bytes.prefix(length))
    }

    func send(_ payload: [UInt8], checksum: TURNStage.Checksum = .right, trafficClass: UInt8 = 0) {
        stage.send(payload, from: endpoint, to: server, checksum: checksum, trafficClass: trafficClass)
    }

    /// Sends a request as it is and waits some milliseconds for its response.
    func exchange(_ bytes: [UInt8], wait: Int = 4) -> TURNAnswer? {
        send(bytes)
        stage.run(wait)
        return collect().last
    }

    /// The responses that came; all else is kept in `arrivals`.
    func collect() -> [TURNAnswer] {
        var answers: [TURNAnswer] = []
        for received in stage.take(endpoint) {
            #expect(received.isChecksumValid)
            let isAnswer = received.payload.withUnsafeBytes { raw in
                STUNMessage(raw).map { $0.messageClass == .success || $0.messageClass == .error } ?? false
            }
            if isAnswer { answers.append(TURNAnswer(bytes: received.payload)) } else { arrivals.append(received) }
        }
        return answers
    }

    /// What was relayed to us since the last call.
    func takeArrivals() -> [TURNStage.Received] {
        _ = collect()
        defer { arrivals.removeAll() }
        return arrivals
    }

    /// A request with credentials, after a challenge when there is no nonce yet.
    func call(
        _ method: UInt16, isBare: Bool = false, username: String? = nil, _ body: (inout STUNWriter) -> Void = { _ in }
    ) -> TURNAnswer? {
        if nonce.isEmpty && !isBare { learnNonce() }
        return exchange(message(method, isBare: isBare, username: username, body))
    }

    func learnNonce() {
        let answer = exchange(message(STUNMethod.allocate, isBare: true) { $0.addTransport() })
        nonce = answer?.value(STUNAttributeType.nonce) ?? []
    }

    @discardableResult
    func allocate(_ body: (inout STUNWriter) -> Void = { _ in }) -> TURNAnswer? {
        let answer = call(STUNMethod.allocate) {
            $0.addTransport()
            body(&$0)
        }
        for endpoint in answer?.endpoints(STUNAttributeType.xorRelayedAddress) ?? [] {
            if endpoint.address.isV4 { relayed = endpoint } else { relayedV6 = endpoint }
        }
        return answer
    }

    @discardableResult
    func permit(_ peers: Endpoint...) -> TURNAnswer? {
        call(STUNMethod.createPermission) {
            for peer in peers { $0.add(STUNAttributeType.xorPeerAddress, xored: peer) }
        }
    }

    @discardableResult
    func bind(_ number: UInt16, _ peer: Endpoint) -> TURNAnswer? {
        call(STUNMethod.channelBind) {
            $0.add(STUNAttributeType.channelNumber, UInt32(number) << 16)
            $0.add(STUNAttributeType.xorPeerAddress, xored: peer)
        }
    }

    @discardableResult
    func refresh(_ lifetime: UInt32?, _ body: (inout STUNWriter) -> Void = { _ in }) -> TURNAnswer? {
        call(STUNMethod.refresh) {
            if let lifetime { $0.add(STUNAttributeType.lifetime, lifetime) }
            body(&$0)
        }
    }

    func sendIndication(_ data: [UInt8], to peer: Endpoint, _ body: (inout STUNWriter) -> Void = { _ in }) {
        send(
            message(STUNMethod.send, class: .indication, isBare: true) { writer in
                writer.add(STUNAttributeType.xorPeerAddress, xored: peer)
                data.withUnsafeBytes { writer.add(STUNAttributeType.data, $0) }
                body(&writer)
            })
    }

    static func channelData(_ number: UInt16, _ data: [UInt8], padding: Int = 0) -> [UInt8] {
        [UInt8(number >> 8), UInt8(number & 0xff), UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
            + [UInt8](repeating: 0xee, count: padding)
    }
}

extension STUNWriter {
    mutating func add(_ type: UInt16, bytes: [UInt8]) { bytes.withUnsafeBytes { add(type, $0) } }

    /// REQUESTED-TRANSPORT: UDP.
    mutating func addTransport() { add(STUNAttributeType.requestedTransport, UInt32(17) << 24) }

    mutating func addFamily(_ family: UInt32, _ type: UInt16 = STUNAttributeType.requestedAddressFamily) {
        add(type, family << 24)
    }

    mutating func addEvenPort(reserve: Bool) {
        self.reserve(STUNAttributeType.evenPort, count: 1)?.storeBytes(of: reserve ? 0x80 : 0, as: UInt8.self)
    }
}
