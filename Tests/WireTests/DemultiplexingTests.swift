import Testing
import Wire

@Suite struct DemultiplexingTests {
    /// RFC 7983 section 7 with ChannelData first, RFC 5761 section 4.
    @Test func everyFirstByte() {
        for first in 0...255 {
            let expected: PacketKind =
                switch first {
                case 0...3: .stun
                case 20...63: .dtls
                case 64...79: .channelData
                case 128...191: .rtp
                default: .unknown
                }
            with([UInt8(first), 0]) { #expect(PacketKind($0) == expected) }
        }
    }

    @Test func secondByteTellsRTCP() {
        for second in 0...255 {
            with([0x80, UInt8(second)]) { #expect(PacketKind($0) == (192...223 ~= second ? .rtcp : .rtp)) }
        }
    }

    @Test func shortPayloadsAreUnknown() {
        with("") { #expect(PacketKind($0) == .unknown) }
        with("80") { #expect(PacketKind($0) == .unknown) }
    }

    static let record = "16 fefd 0000 000000000005 0003 010203"

    @Test func recordsOfADatagram() throws {
        try with("\(Self.record) 17 fefd 0001 000000000001 0000") { raw in
            var iterator = DTLSRecords(raw)
            var records: [DTLSRecord] = []
            while let record = iterator.next() { records.append(record) }
            let first = try #require(records.first)
            #expect(first.contentType == DTLSRecord.handshake && first.version == 0xfefd)
            #expect(first.epoch == 0 && first.sequence == 5 && Array(first.fragment) == [1, 2, 3])
            #expect(first.bytes.count == 16)
            let second = try #require(records.last)
            #expect(second.contentType == DTLSRecord.applicationData && second.epoch == 1 && second.fragment.isEmpty)
            #expect(records.count == 2 && iterator.isComplete)
        }
    }

    @Test(arguments: [
        "16 fefd 0000 000000000005 0003 0102", "16 fefd 0000 000000000005 00", "13 fefd 0000 000000000005 0000",
        "16 0303 0000 000000000005 0000", "16 fefd 0000 000000000005 ffff 00",
    ])
    func brokenRecordEndsTheDatagram(_ broken: String) {
        with("\(Self.record) \(broken)") { raw in
            var records = DTLSRecords(raw)
            #expect(records.next()?.fragment.count == 3)
            #expect(records.next()?.fragment == nil)
            #expect(!records.isComplete)
        }
    }

    /// RFC 8656 section 12.4: padding may follow over UDP.
    @Test func channelData() throws {
        try with("4001 0003 01020300") { raw in
            let message = try #require(ChannelData(raw))
            #expect(message.channel == 0x4001 && Array(message.payload) == [1, 2, 3])
        }
        for text in ["4001 0003 0102", "8000 0000", "3fff 0000", "4001 00", ""] {
            with(text) { #expect(ChannelData($0) == nil) }
        }
        let header = written(4) { block in
            ChannelData.write(to: block.baseAddress!, channel: 0x4fff, payloadLength: 300)
            return 4
        }
        #expect(header == bytes("4fff 012c"))
    }
}
