import TestSupport
import Testing
import Wire

@Suite struct RTCPTests {
    /// What `add` wrote.
    static func compound(_ capacity: Int = 1500, _ add: (inout RTCPWriter) throws -> Void) rethrows -> [UInt8] {
        try written(capacity) { block in
            var writer = RTCPWriter(into: block)
            try add(&writer)
            return writer.count
        }
    }

    /// Calls `body` with the only packet of a compound.
    static func single(_ compound: [UInt8], _ body: (RTCPPacket) throws -> Void) throws {
        try with(compound) { raw in
            let packets = Array(RTCPCompound(raw))
            try #require(packets.count == 1)
            try body(packets[0])
        }
    }

    static let blocks = [
        ReportBlock(
            ssrc: 1, fractionLost: 64, cumulativeLost: -5, highestSequence: 0x1_fffe, jitter: 90,
            lastSenderReport: 0x1234_5678, delaySinceLastSenderReport: 65536),
        ReportBlock(ssrc: 2, cumulativeLost: 0x7f_ffff),
    ]

    @Test func senderReportWithDescription() throws {
        let made = Self.compound { writer in
            let fitted = Self.blocks.withUnsafeBufferPointer {
                writer.addSenderReport(
                    ssrc: 7, ntpTime: 0xe0_0000_0080_0000, rtpTimestamp: 99, packetCount: 3, octetCount: 4, blocks: $0)
            }
            #expect(fitted)
            with(Array("poptart".utf8)) { cname in #expect(writer.addSourceDescription(ssrc: 7, cname: cname) == true) }
        }
        #expect(made.count == 28 + 48 + 20)
        try with(made) { raw in
            var compound = RTCPCompound(raw)
            var packets: [RTCPPacket] = []
            while let packet = compound.next() { packets.append(packet) }
            try #require(packets.count == 2 && compound.isComplete)
            let report = try #require(SenderReport(packets[0]))
            #expect(report.ssrc == 7 && report.ntpTime == 0xe0_0000_0080_0000 && report.rtpTimestamp == 99)
            #expect(report.packetCount == 3 && report.octetCount == 4)
            #expect((0..<report.blockCount).map(report.block) == Self.blocks)
            let description = try #require(SourceDescription(packets[1]))
            #expect(description.ssrc == 7 && String(decoding: description.cname, as: UTF8.self) == "poptart")
        }
    }

    @Test func referenceTimesAndTheirEchoes() throws {
        // RFC 3611: a block of another type first, then the receiver reference time.
        let asked = bytes("80cf0007 0000002a 02000001 00000001 04000002 83aa7e80 80000000 00000000")
        try with(Array(asked.dropLast(4).enumerated().map { $0 == 3 ? 6 : $1 })) { raw in
            var compound = RTCPCompound(raw)
            let report = try #require(compound.next().flatMap { ExtendedReport($0) })
            #expect(report.senderSSRC == 42 && report.referenceTime == 0x83aa_7e80_8000_0000)
            #expect(report.echo(for: 42) == nil)
        }
        let echoes = [
            ReferenceTimeEcho(ssrc: 42, referenceTime: 0x7e80_8000, delay: 65_536),
            ReferenceTimeEcho(ssrc: 43, referenceTime: 1, delay: 2),
        ]
        let made = Self.compound { writer in
            let fitted = echoes.withUnsafeBufferPointer { writer.addReferenceTimeEchoes(senderSSRC: 9, $0) }
            #expect(fitted)
        }
        #expect(made == bytes("80cf0008 00000009 05000006 0000002a 7e808000 00010000 0000002b 00000001 00000002"))
        try Self.single(made) { packet in
            let report = try #require(ExtendedReport(packet))
            #expect(report.echo(for: 42) == echoes[0] && report.echo(for: 43) == echoes[1])
            #expect(report.echo(for: 44) == nil && report.referenceTime == nil)
        }
        // A block longer than the packet.
        try with("80cf0003 0000002a 04000002 83aa7e80") { raw in
            var compound = RTCPCompound(raw)
            let report = try #require(compound.next().flatMap { ExtendedReport($0) })
            #expect(report.referenceTime == nil)
        }
    }

    @Test func receiverReport() throws {
        let made = Self.compound { writer in
            let fitted = Self.blocks.withUnsafeBufferPointer { writer.addReceiverReport(ssrc: 9, blocks: $0) }
            #expect(fitted)
        }
        try Self.single(made) { packet in
            let report = try #require(ReceiverReport(packet))
            #expect(report.ssrc == 9 && (0..<report.blockCount).map(report.block) == Self.blocks)
            #expect(SenderReport(packet) == nil)
        }
    }

    @Test func lossIsClampedTo24Bits() throws {
        for (lost, clamped) in [(Int32.max, Int32(0x7f_ffff)), (.min, -0x80_0000), (-1, -1)] {
            let block = ReportBlock(ssrc: 1, cumulativeLost: lost)
            let raw = written(24) { target in
                block.store(to: target.baseAddress!)
                return 24
            }
            with(raw) { #expect(ReportBlock(load: $0.baseAddress!).cumulativeLost == clamped) }
        }
    }

    @Test(arguments: 0...8)
    func descriptionsAreNullTerminated(_ length: Int) throws {
        let cname = [UInt8](repeating: 0x61, count: length)
        let made = Self.compound { writer in
            with(cname) { value in #expect(writer.addSourceDescription(ssrc: 1, cname: value) == true) }
        }
        #expect(made.last == 0 && made.count % 4 == 0)
        try Self.single(made) { #expect(SourceDescription($0)?.cname.elementsEqual(cname) == true) }
    }

    @Test func descriptionWithOtherItemsBefore() throws {
        try Self.single(bytes("81ca 0004 00000001 02 01 61 01 03 626364 00 00 00 00")) { packet in
            let description = try #require(SourceDescription(packet))
            #expect(String(decoding: description.cname, as: UTF8.self) == "bcd")
        }
        try Self.single(bytes("81ca 0002 00000001 01 03 62 63")) { #expect(SourceDescription($0) == nil) }
        try Self.single(bytes("81ca 0002 00000001 00000000")) {
            #expect(SourceDescription($0)?.cname.isEmpty == true)
        }
    }

    @Test func goodbye() throws {
        try Self.single(Self.compound { #expect($0.addGoodbye(ssrc: 5) == true) }) { packet in
            let bye = try #require(Goodbye(packet))
            #expect(bye.sourceCount == 1 && bye.source(0) == 5)
        }
        // Two sources and a reason.
        try Self.single(bytes("82cb 0003 00000001 00000002 03 616263")) { packet in
            let bye = try #require(Goodbye(packet))
            #expect(bye.sourceCount == 2 && bye.source(1) == 2)
        }
        try Self.single(bytes("82cb 0001 00000001")) { #expect(Goodbye($0) == nil) }
    }

    @Test func keyframeRequests() throws {
        try Self.single(Self.compound { #expect($0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: 2) == true) }) {
            packet in
            let loss = try #require(PictureLossIndication(packet))
            #expect(loss.senderSSRC == 1 && loss.mediaSSRC == 2)
            #expect(FullIntraRequest(packet) == nil)
        }
        let full = Self.compound { #expect($0.addFullIntraRequest(senderSSRC: 1, mediaSSRC: 2, sequence: 200) == true) }
        #expect(full == bytes("84ce 0004 00000001 00000000 00000002 c8000000"))
        try Self.single(full) { packet in
            let request = try #require(FullIntraRequest(packet))
            #expect(request.entryCount == 1 && request.ssrc(0) == 2 && request.sequence(0) == 200)
        }
    }

    @Test(arguments: [0, 1, 0x3ffff, 0x40000, 1_000_000, 2_500_000_001, UInt64.max])
    func receiverEstimates(_ bitrate: UInt64) throws {
        let made = Self.compound { writer in
            let fitted = [UInt32(5), 6].withUnsafeBufferPointer {
                writer.addReceiverEstimate(senderSSRC: 1, bitrate: bitrate, sources: $0)
            }
            #expect(fitted)
        }
        try Self.single(made) { packet in
            let estimate = try #require(ReceiverEstimate(packet))
            #expect(estimate.sourceCount == 2 && estimate.source(0) == 5 && estimate.source(1) == 6)
            // Rounded down to 18 significant bits.
            #expect(estimate.bitrate <= bitrate && bitrate - estimate.bitrate <= bitrate >> 17)
        }
    }

    @Test func absurdEstimateIsTheLargest() throws {
        try Self.single(bytes("8fce 0004 00000001 00000000 52454d42 00 ffffff")) {
            #expect(ReceiverEstimate($0)?.bitrate == .max)
        }
        try Self.single(bytes("8fce 0004 00000001 00000000 52454d42 01 ffffff")) {
            #expect(ReceiverEstimate($0) == nil)
        }
    }

    @Test func nackOfScatteredNumbers() throws {
        let lost: [UInt16] = [0xfff0, 0xfff1, 0, 1, 100, 116, 117, 300]
        let made = Self.compound { writer in
            let taken = lost.withUnsafeBufferPointer {
                writer.addNack(senderSSRC: 1, mediaSSRC: 2, sequences: $0)
            }
            #expect(taken == lost.count)
        }
        try Self.single(made) { packet in
            let nack = try #require(GenericNack(packet))
            #expect(nack.senderSSRC == 1 && nack.mediaSSRC == 2 && nack.entryCount == 5)
            #expect(nack.packetID(0) == 0xfff0 && nack.bitmask(0) == 0x8001)
            #expect(Array(nack) == lost)
        }
    }

    @Test func nackTakesWhatFits() throws {
        let lost: [UInt16] = [1, 100, 101, 200, 300]
        for (capacity, expected) in [(15, 0), (16, 1), (20, 3), (27, 4), (28, 5)] {
            let made = Self.compound(capacity) { writer in
                let taken = lost.withUnsafeBufferPointer {
                    writer.addNack(senderSSRC: 1, mediaSSRC: 2, sequences: $0)
                }
                #expect(taken == expected)
            }
            guard expected > 0 else { continue }
            try Self.single(made) { #expect(GenericNack($0).map(Array.init) == Array(lost.prefix(expected))) }
        }
    }

    @Test func anyNackComesBack() throws {
        var random = SplitMix(seed: 5)
        for _ in 0..<300 {
            var next: UInt16 = random.next()
            let lost = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                next &+= .random(in: 1...25, using: &random)
                return next
            }
            let made = Self.compound { writer in
                let taken = lost.withUnsafeBufferPointer { writer.addNack(senderSSRC: 1, mediaSSRC: 2, sequences: $0) }
                #expect(taken == lost.count)
            }
            try Self.single(made) { #expect(GenericNack($0).map(Array.init) == lost) }
        }
    }

    @Test func writerKeepsWhatWasWrittenBefore() {
        let made = Self.compound(20) { writer in
            #expect(writer.addReceiverReport(ssrc: 1) == true)
            #expect(writer.addPictureLossIndication(senderSSRC: 1, mediaSSRC: 2) == true)
            #expect(writer.addGoodbye(ssrc: 1) == false)
            #expect(writer.count == 20)
        }
        #expect(made == bytes("80c9 0001 00000001 81ce 0002 00000001 00000002"))
    }

    @Test(arguments: [
        // Too short, wrong version, a length beyond the end, a type that is not RTCP's.
        ("80c9", 0), ("40c9 0001 00000001", 0), ("80c9 0002 00000001", 0), ("8060 0001 00000001", 0),
        // A good packet, then rubbish.
        ("80c9 0001 00000001 00", 1), ("80c9 0001 00000001 80c9 ffff", 1),
        // Padding of no bytes, of more than there is.
        ("a0c9 0002 00000001 00000000", 0), ("a0c9 0002 00000001 0000000c", 0),
    ])
    func malformedCompoundsEnd(_ text: String, _ count: Int) {
        with(text) { raw in
            var packets = RTCPCompound(raw)
            var seen = 0
            while packets.next() != nil { seen += 1 }
            #expect(seen == count && !packets.isComplete)
        }
    }

    @Test func paddingOfTheLastPacketIsTakenOff() throws {
        try Self.single(bytes("a0c9 0002 00000001 00000004")) { packet in
            #expect(packet.bytes.count == 8 && ReceiverReport(packet)?.ssrc == 1)
        }
    }

    @Test("Chromium pads transport-wide feedback by single bytes, wherever it stands")
    func paddingBySingleBytesIsTakenOff() {
        with("afcd 0005 00000001 00000002 00000001 00000000 20010401" + "81ce 0002 00000001 00000002") { raw in
            var packets = RTCPCompound(raw)
            #expect(packets.next()?.bytes.count == 23)
            #expect(packets.next().flatMap { PictureLossIndication($0) }?.mediaSSRC == 2)
            #expect(packets.isComplete)
        }
    }

    @Test(arguments: ["81c8 0006", "80c8 0005", "81c9 0001", "81ca 0001", "81cd 0002", "81ce 0001", "84ce 0003"])
    func shortPacketsAreNoViews(_ header: String) throws {
        let words = Int(bytes(header)[3])
        try Self.single(bytes(header + String(repeating: "00000000", count: words))) { packet in
            #expect(SenderReport(packet) == nil && ReceiverReport(packet) == nil && SourceDescription(packet) == nil)
            #expect(GenericNack(packet) == nil && PictureLossIndication(packet) == nil)
            #expect(FullIntraRequest(packet) == nil && TransportFeedback(packet) == nil)
        }
    }
}
