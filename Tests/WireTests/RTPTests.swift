import TestSupport
import Testing
import Wire

@Suite struct RTPTests {
    /// A packet with 2 CSRCs, an extension of the one-byte form, 3 bytes of payload and 1 of padding.
    static let full = """
        b2e0 1234 00010203 cafebabe 00000001 00000002
        bede 0003 10aa 21bbbb 00 00 33cccccccc
        010203 01
        """

    static func header(
        _ capacity: Int = 256, _ add: (inout RTPHeaderWriter) -> Void = { _ in }
    ) throws -> [UInt8] {
        try written(capacity) { block in
            var writer = try #require(
                RTPHeaderWriter(
                    into: block, marker: true, payloadType: 96, sequence: 0x1234, timestamp: 0x0001_0203,
                    ssrc: 0xcafe_babe))
            add(&writer)
            return writer.finish()
        }
    }

    @Test func fieldsOfAFullPacket() throws {
        try with(Self.full) { raw in
            let packet = try #require(RTPPacket(raw))
            #expect(packet.marker && packet.payloadType == 96 && packet.sequence == 0x1234)
            #expect(packet.timestamp == 0x0001_0203 && packet.ssrc == 0xcafe_babe)
            #expect(packet.csrcCount == 2 && packet.csrc(0) == 1 && packet.csrc(1) == 2)
            #expect(packet.hasExtension && packet.extensionProfile == 0xbede && packet.extensionOffset == 20)
            #expect(packet.headerLength == 36 && packet.paddingLength == 1)
            #expect(Array(packet.payload) == [1, 2, 3])
            let encrypted = try #require(RTPPacket(encrypted: raw))
            #expect(encrypted.payloadLength == 4 && encrypted.hasPadding && encrypted.paddingLength == 0)
            #expect(RTPPacket(plain: encrypted, count: 40)?.payloadLength == 3)
            #expect(RTPPacket(plain: encrypted, count: 39)?.payloadLength == 0)
            #expect(RTPPacket(plain: encrypted, count: 36) == nil && RTPPacket(plain: encrypted, count: 35) == nil)
        }
    }

    /// RFC 8285 section 4.2: padding may stand between elements.
    @Test func oneByteElements() throws {
        try with(Self.full) { raw in
            let packet = try #require(RTPPacket(raw))
            #expect(packet.elements.map(\.id) == [1, 2, 3])
            #expect(packet.elements.map(\.offset) == [25, 27, 32])
            #expect(packet.element(1).map(Array.init) == [0xaa])
            #expect(packet.element(2).map(Array.init) == [0xbb, 0xbb])
            #expect(packet.element(3).map(Array.init) == [0xcc, 0xcc, 0xcc, 0xcc])
            #expect(packet.element(4) == nil && packet.element(0) == nil)
        }
    }

    /// The example of RFC 8285 section 4.3: lengths 0, 1 and 4, padding between.
    @Test func twoByteElements() throws {
        try with("9060 0001 00000000 00000001 1000 0003 0100 0201ee 00 0304dddddddd") { raw in
            let packet = try #require(RTPPacket(raw))
            #expect(packet.elements.map(\.id) == [1, 2, 3])
            #expect(packet.element(1).map(Array.init) == [])
            #expect(packet.element(2).map(Array.init) == [0xee])
            #expect(packet.element(3).map(Array.init) == [0xdd, 0xdd, 0xdd, 0xdd])
        }
    }

    @Test(
        arguments: [
            // Id 15 ends the block, and so does id 0 with a length (RFC 8285 section 4.2).
            ("bede 0002 10aa f0 20 bb 000000", [1]), ("bede 0002 10aa 01 bbbb 20 cc 00", [1]),
            // An element longer than the block.
            ("bede 0001 10aa 2f 00", [1]), ("1000 0001 0101aa 02", [1]), ("1000 0001 0105 aabb", []),
            // Another profile.
            ("1234 0001 10aa0000", []), ("1001 0001 0101aa00", [1]), ("bede 0000", []), ("bede 0001 00000000", []),
        ] as [(String, [UInt8])])
    func oddExtensions(_ block: String, _ ids: [UInt8]) throws {
        with("9060 0001 00000000 00000001 \(block)") { raw in
            #expect(RTPPacket(raw)?.elements.map(\.id) == ids)
        }
    }

    @Test(arguments: [
        "", "8060 0001 00000000 000000", "4060 0001 00000000 00000001", "8160 0001 00000000 00000001 000000",
        "9060 0001 00000000 00000001 bede00", "9060 0001 00000000 00000001 bede 0001 000000",
        "9060 0001 00000000 00000001 bede ffff 00000000",
    ])
    func malformedHeadersAreRefused(_ text: String) { with(text) { #expect(RTPPacket(encrypted: $0) == nil) } }

    @Test(arguments: [
        ("a060 0001 00000000 00000001", false), ("a060 0001 00000000 00000001 00", false),
        ("a060 0001 00000000 00000001 01", true), ("a060 0001 00000000 00000001 02", false),
        ("a060 0001 00000000 00000001 ff02", true), ("a060 0001 00000000 00000001 ff03", false),
    ])
    func paddingOfPlainPackets(_ text: String, _ valid: Bool) {
        with(text) { raw in
            #expect((RTPPacket(raw) != nil) == valid)
            #expect(RTPPacket(encrypted: raw) != nil)
        }
    }

    @Test func writerMakesTheOneByteForm() throws {
        let made = try Self.header { writer in
            #expect(writer.add(5, be24: 0xabcdef) == true)
            #expect(writer.add(3, be16: 0x0102) == true)
            #expect(writer.add(1, u8: 0x85) == true)
        }
        #expect(made == bytes("90e0 1234 00010203 cafebabe bede 0003 52abcdef 310102 1085 000000"))
    }

    @Test func writerWithoutElementsHasNoExtension() throws {
        #expect(try Self.header() == bytes("80e0 1234 00010203 cafebabe"))
    }

    @Test func writerTurnsToTheTwoByteForm() throws {
        let long = [UInt8](0..<17)
        let made = try Self.header { writer in
            #expect(writer.add(1, u8: 0x85) == true)
            #expect(writer.add(3, be16: 0x0102) == true)
            with(long) { #expect(writer.add(4, $0) == true) }
            #expect(writer.add(15, u8: 7) == true)
        }
        try with(made) { raw in
            let packet = try #require(RTPPacket(raw))
            #expect(packet.extensionProfile == 0x1000 && packet.headerLength == made.count)
            #expect(packet.elements.map(\.id) == [1, 3, 4, 15])
            #expect(packet.element(1).map(Array.init) == [0x85])
            #expect(packet.element(3).map(Array.init) == [1, 2])
            #expect(packet.element(4).map(Array.init) == long)
            #expect(packet.element(15).map(Array.init) == [7])
        }
    }

    @Test func writerLeavesOutWhatDoesNotFit() throws {
        for capacity in 12..<40 {
            var fitted: [UInt8] = []
            let made = try Self.header(capacity) { writer in
                for id: UInt8 in 1...5 where writer.add(id, be24: UInt32(id)) { fitted.append(id) }
                if writer.add(20, u8: 1) { fitted.append(20) }
            }
            #expect(made.count <= capacity && made.count % 4 == 0)
            with(made) { #expect(RTPPacket($0)?.elements.map(\.id) == fitted) }
        }
        let refused = try Self.header { writer in
            #expect(writer.add(0, u8: 1) == false)
            with([UInt8](repeating: 1, count: 256)) { #expect(writer.add(1, $0) == false) }
        }
        #expect(refused.count == 12)
    }

    @Test func writtenElementsComeBack() throws {
        var random = SplitMix(seed: 11)
        for round in 0..<500 {
            let elements = (0..<Int.random(in: 0...8, using: &random)).map { index in
                let wide = round % 2 == 0
                return (
                    id: UInt8(index + (wide ? 10 : 1)),
                    value: random.bytes(.random(in: wide ? 0...40 : 1...16, using: &random))
                )
            }
            let made = try Self.header(512) { writer in
                for element in elements { with(element.value) { #expect(writer.add(element.id, $0) == true) } }
            }
            try with(made + [9, 9, 9]) { raw in
                let packet = try #require(RTPPacket(raw))
                #expect(packet.elements.map(\.id) == elements.map(\.id))
                #expect(packet.elements.map { Array($0.value) } == elements.map(\.value))
                #expect(Array(packet.payload) == [9, 9, 9])
            }
        }
    }

    @Test func originalSequenceOfARetransmission() {
        with("1234aabb") { #expect(RTX.originalSequence($0) == 0x1234) }
        with("12") { #expect(RTX.originalSequence($0) == nil) }
    }

    /// RFC 6464 section 3.
    @Test func audioLevels() {
        with("85") { #expect(AudioLevel($0) == AudioLevel(hasVoice: true, level: 5)) }
        with("7f00") { #expect(AudioLevel($0) == AudioLevel(hasVoice: false, level: 127)) }
        with("") { #expect(AudioLevel($0) == nil) }
        #expect(AudioLevel(hasVoice: true, level: 5).byte == 0x85)
    }
}

@Suite struct SequenceTests {
    @Test func distancesWrap() {
        #expect(SequenceNumber.distance(from: UInt16(0xffff), to: 0) == 1)
        #expect(SequenceNumber.distance(from: UInt16(0), to: 0xffff) == -1)
        #expect(SequenceNumber.distance(from: UInt16(0), to: 0x7fff) == 0x7fff)
        #expect(SequenceNumber.distance(from: UInt16(0), to: 0x8000) == -0x8000)
        #expect(SequenceNumber.distance(from: UInt32.max, to: 4) == 5)
    }

    /// RFC 3711 section 3.3.1: the index is the one nearest to the highest so far.
    @Test func extendedIndexOfSRTP() {
        #expect(SequenceNumber.extended(5, near: 0xfffe) == 0x1_0005)
        #expect(SequenceNumber.extended(0xfffe, near: 0x1_0005) == 0xfffe)
        #expect(SequenceNumber.extended(0xffff, near: 3) == nil)
        #expect(SequenceNumber.extended(0x8000, near: 0x3_0001) == 0x3_8000)
    }
}

@Suite struct ShortExtensions {
    @Test("a header from a register is what the general writer writes", arguments: 0..<8)
    func matchesTheWriter(choice: Int) throws {
        var short = ShortExtension()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        let other = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer {
            room.deallocate()
            other.deallocate()
        }
        let marker = choice & 1 == 0
        var writer = try #require(
            RTPHeaderWriter(
                into: other, marker: marker, payloadType: 120, sequence: 0xfedc, timestamp: 0x1234_5678,
                ssrc: 0x9abc_def0))
        if choice & 1 != 0 {
            short.add(14, be16: 0xa1b2)
            writer.add(14, be16: 0xa1b2)
        }
        if choice & 2 != 0 {
            short.add(1, u8: 0xff)
            writer.add(1, u8: 0xff)
        }
        if choice & 4 != 0 {
            short.add(9, u8: 0x81)
            writer.add(9, u8: 0x81)
        }
        let length = short.write(
            to: room.baseAddress!, marker: marker, payloadType: 120, sequence: 0xfedc, timestamp: 0x1234_5678,
            ssrc: 0x9abc_def0)
        #expect(length == writer.finish())
        #expect(room.prefix(length).elementsEqual(other.prefix(length)))
    }
}
