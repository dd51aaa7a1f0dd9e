import Testing
import Wire

@Suite struct TURNTests {
    static let transaction = STUNTransactionID(high: 0x0102_0304, low: 0x0506_0708_090a_0b0c)

    /// A request with the attributes that `body` writes.
    static func message(
        _ method: UInt16 = STUNMethod.allocate, class messageClass: STUNClass = .request,
        _ body: (inout STUNWriter) -> Void
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        let length = try bytes.withUnsafeMutableBytes { room in
            var writer = try #require(
                STUNWriter(into: room, class: messageClass, method: method, transactionID: transaction))
            body(&writer)
            return writer.finish()
        }
        return Array(bytes.prefix(length))
    }

    /// RFC 8656 sections 18.1 to 18.11, RFC 8016 section 3.1.
    @Test func allAttributesAreFound() throws {
        let peer = try #require(Endpoint("[2001:db8::7]:9"))
        let bytes = try Self.message {
            $0.add(STUNAttributeType.channelNumber, UInt32(0x4001_0000))
            $0.add(STUNAttributeType.lifetime, UInt32(777))
            $0.add(STUNAttributeType.xorPeerAddress, xored: peer)
            $0.add(STUNAttributeType.xorPeerAddress, xored: Endpoint("192.0.2.1:1")!)
            $0.add(STUNAttributeType.data, text: "payload")
            $0.add(STUNAttributeType.requestedAddressFamily, UInt32(0x0200_0000))
            $0.reserve(STUNAttributeType.evenPort, count: 1)?.storeBytes(of: 0x80, as: UInt8.self)
            $0.add(STUNAttributeType.requestedTransport, UInt32(0x1100_0000))
            $0.addFlag(STUNAttributeType.dontFragment)
            $0.add(STUNAttributeType.reservationToken, UInt64(42))
            $0.add(STUNAttributeType.additionalAddressFamily, UInt32(0x0200_0000))
            $0.addFlag(STUNAttributeType.mobilityTicket)
            $0.add(STUNAttributeType.realm, text: "realm")
            $0.add(STUNAttributeType.nonce, text: "nonce")
        }
        try bytes.withUnsafeBytes { raw in
            let message = TURNMessage(try #require(STUNMessage(raw)))
            #expect(!message.isMalformed && message.stun.unknownCount == 0)
            #expect(message.channel == 0x4001 && message.lifetime == 777 && message.reservationToken == 42)
            #expect(message.peer == peer && message.peerCount == 2)
            #expect(message.data.map(Array.init) == Array("payload".utf8))
            #expect(Array(bytes[message.dataOffset..<message.dataOffset + 7]) == Array("payload".utf8))
            #expect(message.requestedFamily == 2 && message.additionalFamily == 2 && message.evenPort == true)
            #expect(message.requestedTransport == 17 && message.dontFragment)
            #expect(message.mobilityTicket?.isEmpty == true)
            #expect(message.realm.map(Array.init) == Array("realm".utf8))
            #expect(message.nonce.map(Array.init) == Array("nonce".utf8))
        }
    }

    /// RFC 8489 section 14.5: what follows the integrity attribute is not to be believed.
    @Test func whatFollowsIntegrityDoesNotCount() throws {
        let bytes = try Self.message {
            $0.add(STUNAttributeType.lifetime, UInt32(1))
            #expect($0.beginIntegritySHA256()?.count == 28)
            $0.endIntegritySHA256([UInt8](repeating: 7, count: 32))
            $0.add(STUNAttributeType.channelNumber, UInt32(0x4001_0000))
            $0.addFingerprint()
        }
        try bytes.withUnsafeBytes { raw in
            let message = TURNMessage(try #require(STUNMessage(raw)))
            #expect(message.lifetime == 1 && message.channel == nil)
            #expect(message.stun.hasIntegrity && message.stun.integrityOffset == nil)
            #expect(message.stun.integritySHA256Offset == 28 && message.stun.coveredEnd == 28)
            #expect(message.stun.integritySHA256.map(Array.init) == [UInt8](repeating: 7, count: 32))
            #expect(message.stun.isFingerprintValid)
        }
    }

    @Test(arguments: [
        STUNAttributeType.channelNumber, STUNAttributeType.lifetime, STUNAttributeType.requestedAddressFamily,
        STUNAttributeType.evenPort, STUNAttributeType.requestedTransport, STUNAttributeType.dontFragment,
        STUNAttributeType.reservationToken, STUNAttributeType.additionalAddressFamily, STUNAttributeType.xorPeerAddress,
    ])
    func aWrongLengthIsMalformed(_ type: UInt16) throws {
        let bytes = try Self.message { $0.add(type, text: "fünf") }
        try bytes.withUnsafeBytes { raw in
            let message = TURNMessage(try #require(STUNMessage(raw)))
            #expect(message.isMalformed)
        }
    }

    /// An IPv4 peer in IPv6's clothes is no peer at all.
    @Test func aMappedPeerIsNone() throws {
        let bytes = try Self.message {
            $0.add(STUNAttributeType.xorPeerAddress, xored: Endpoint("[2001:db8::7]:9")!)
        }
        var mapped = bytes
        // The address ::ffff:127.0.0.1, masked by cookie and transaction (RFC 8489 section 14.2).
        let mask: [UInt8] = [0x21, 0x12, 0xa4, 0x42] + Array(1...12)
        let address: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]
        for index in 0..<16 { mapped[28 + index] = mask[index] ^ address[index] }
        try mapped.withUnsafeBytes { raw in
            let message = TURNMessage(try #require(STUNMessage(raw)))
            #expect(message.peerCount == 1 && message.peer == nil && !message.isMalformed)
        }
    }

    @Test func refusalsCarryTheirAttributes() throws {
        let bytes = try Self.message(class: .error) {
            $0.addAddressError(440, family: 2, reason: "No")
            $0.addAlternateServer(Endpoint("192.0.2.9:3478")!)
            $0.addUnknownAttributes(.init(repeating: 0x7fff), count: 1)
        }
        #expect(
            Array(bytes[20...]) == [
                0x80, 0x01, 0, 6, 2, 0, 4, 40, 0x4e, 0x6f, 0, 0,
                0x80, 0x23, 0, 8, 0, 1, 0x0d, 0x96, 192, 0, 2, 9,
                0, 0x0a, 0, 2, 0x7f, 0xff, 0, 0,
            ])
    }
}
