import Testing
import Wire

/// The published vectors are those of RFC 5769; its password is "VOkJxbRl1RmTxUk/WvJxBt".
@Suite struct STUNTests {
    static let request = """
        00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74
        00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020
        00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf
        """
    static let response = """
        0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
        00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96
        """
    static let responseV6 = """
        01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
        00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
        00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c
        """
    static let transaction = STUNTransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae)

    static func text(_ bytes: UnsafeRawBufferPointer?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// Section 2.1.
    @Test func sampleRequest() throws {
        try with(Self.request) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(message.messageClass == .request && message.method == STUNMethod.binding)
            #expect(message.transactionID == Self.transaction)
            #expect(Self.text(message.username) == "evtj:h6vY")
            #expect(Self.text(message.attribute(STUNAttributeType.software)?.value) == "STUN test client")
            #expect(message.priority == 0x6e00_01ff)
            #expect(message.iceControlled == 0x932f_f9b1_5126_3b36 && message.iceControlling == nil)
            #expect(!message.useCandidate && message.unknownCount == 0)
            #expect(message.integrityOffset == 76 && message.integrityLength == 80)
            #expect(Array(try #require(message.integrity)) == bytes("9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"))
            #expect(message.hasFingerprint && message.isFingerprintValid)
        }
    }

    /// Sections 2.2 and 2.3.
    @Test(arguments: [(response, "192.0.2.1:32853"), (responseV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")])
    func sampleResponses(_ sample: String, _ endpoint: String) throws {
        try with(sample) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(message.messageClass == .success && message.method == STUNMethod.binding)
            #expect(message.mappedEndpoint?.description == endpoint)
            #expect(Self.text(message.attribute(STUNAttributeType.software)?.value) == "test vector")
            #expect(message.isFingerprintValid)
        }
    }

    /// The writer makes the sample responses, save for the RFC's padding with spaces.
    @Test(arguments: [(response, "192.0.2.1:32853"), (responseV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")])
    func writerMakesTheSampleResponses(_ sample: String, _ endpoint: String) throws {
        let endpoint = try #require(Endpoint(endpoint))
        var expected = bytes(sample)
        expected[35] = 0
        let tag = Array(expected[expected.count - 28..<expected.count - 8])
        let made = try written(200) { block in
            var writer = try #require(
                STUNWriter(into: block, class: .success, method: STUNMethod.binding, transactionID: Self.transaction))
            writer.add(STUNAttributeType.software, text: "test vector")
            writer.add(STUNAttributeType.xorMappedAddress, xored: endpoint)
            let begun = writer.beginIntegrity()
            let covered = try #require(begun)
            #expect(covered.count == expected.count - 32)
            // While the HMAC is computed the length ends with MESSAGE-INTEGRITY.
            #expect(covered.baseAddress!.be16(2) == UInt16(expected.count - 8 - 20))
            with(tag) { writer.endIntegrity($0.baseAddress!) }
            writer.addFingerprint()
            return writer.finish()
        }
        #expect(made.count == expected.count)
        #expect(made.dropLast(4) == expected.dropLast(4))
        with(made) { #expect(STUNMessage($0)?.isFingerprintValid == true) }
    }

    @Test func iceRequestComesBack() throws {
        let made = try written(200) { block in
            var writer = try #require(
                STUNWriter(into: block, class: .request, method: STUNMethod.binding, transactionID: Self.transaction))
            with(Array("abc:defg".utf8)) { writer.add(STUNAttributeType.username, $0) }
            writer.add(STUNAttributeType.iceControlling, UInt64(0x0123_4567_89ab_cdef))
            writer.addFlag(STUNAttributeType.useCandidate)
            writer.add(STUNAttributeType.priority, UInt32(0x7e00_00ff))
            writer.addFingerprint()
            return writer.finish()
        }
        try with(made) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(Self.text(message.username) == "abc:defg" && message.useCandidate)
            #expect(message.priority == 0x7e00_00ff && message.iceControlling == 0x0123_4567_89ab_cdef)
            #expect(message.integrityOffset == nil && message.isFingerprintValid)
            #expect(message.attributes.map(\.type) == [0x0006, 0x802a, 0x0025, 0x0024, 0x8028])
        }
    }

    @Test func errorNamesWhatIsUnknown() throws {
        // 0x7777 twice, 0x0003, and an optional one, which does not count.
        let request = "00010014 2112a442 00000001 00000002 00000003 77770000 77770000 00030004 00000000 c0570000"
        let answer = try with(request) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(message.unknownCount == 2 && message.unknownTypes[0] == 0x7777 && message.unknownTypes[1] == 3)
            return try written(100) { block in
                var writer = try #require(
                    STUNWriter(
                        into: block, class: .error, method: message.method, transactionID: message.transactionID))
                writer.addError(420, reason: "Unknown Attribute")
                writer.addUnknownAttributes(of: message)
                return writer.finish()
            }
        }
        try with(answer) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(message.messageClass == .error && message.errorCode == 420)
            let unknown = try #require(message.attribute(STUNAttributeType.unknownAttributes))
            #expect(Array(unknown.value) == bytes("7777 0003"))
        }
    }

    /// RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY was not signed.
    @Test func attributesBehindIntegrityAreIgnored() throws {
        let tag = String(repeating: "55", count: 20)
        let text = "00010028 2112a442 00000001 00000002 00000003 00080014 \(tag) 00250000 77770000 00240004 00000001"
        try with(text) { raw in
            let message = try #require(STUNMessage(raw))
            #expect(!message.useCandidate && message.priority == nil && message.unknownCount == 0)
            #expect(message.integrityOffset == 20 && message.integrityLength == 24)
        }
    }

    @Test func fingerprintMustBeLastAndRight() {
        var sample = bytes(Self.request)
        sample[sample.count - 1] ^= 1
        with(sample) { #expect(STUNMessage($0)?.isFingerprintValid == false) }
        sample = bytes(Self.request)
        sample[30] ^= 1
        with(sample) { #expect(STUNMessage($0)?.isFingerprintValid == false) }
        sample = bytes(Self.request) + bytes("80220000")
        sample[3] += 4
        with(sample) { #expect(STUNMessage($0)?.hasFingerprint == false) }
    }

    @Test func methodsAndClassesComeBack() throws {
        for method: UInt16 in [0x001, 0x00f, 0x010, 0x07f, 0x080, 0xabc, 0xfff] {
            for kind in [STUNClass.request, .indication, .success, .error] {
                let made = try written(20) { block in
                    try #require(
                        STUNWriter(into: block, class: kind, method: method, transactionID: Self.transaction)
                    ).finish()
                }
                try with(made) { raw in
                    let message = try #require(STUNMessage(raw))
                    #expect(message.method == method && message.messageClass == kind)
                }
            }
        }
    }

    @Test(arguments: [
        "", "0001", "00010000 2112a442 00000001 00000002 000000",
        "40010000 2112a442 00000001 00000002 00000003", "00010000 2112a443 00000001 00000002 00000003",
        "00010004 2112a442 00000001 00000002 00000003", "00010002 2112a442 00000001 00000002 00000003 0000",
        "00010000 2112a442 00000001 00000002 00000003 00250000",
        "00010004 2112a442 00000001 00000002 00000003 00060001",
        "00010008 2112a442 00000001 00000002 00000003 0006ffff 00000000",
        "00010008 2112a442 00000001 00000002 00000003 00240003 00000000",
        "00010008 2112a442 00000001 00000002 00000003 80290004 00000000",
        "0001000c 2112a442 00000001 00000002 00000003 00200008 00031234 01020304",
    ])
    func malformedMessagesAreRefused(_ text: String) { with(text) { #expect(STUNMessage($0) == nil) } }

    @Test func writerWithoutRoomReturnsZero() throws {
        for capacity in 20..<40 {
            let made = try written(capacity) { block in
                var writer = try #require(
                    STUNWriter(into: block, class: .request, method: 1, transactionID: Self.transaction))
                writer.add(STUNAttributeType.priority, UInt32(1))
                writer.addFingerprint()
                #expect(writer.finish() == (capacity >= 36 ? 36 : 0))
                return capacity
            }
            #expect(made.count == capacity)
        }
        let tiny = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        #expect(STUNWriter(into: tiny, class: .request, method: 1, transactionID: Self.transaction) == nil)
    }
}
