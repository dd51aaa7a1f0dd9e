import RecordingFixture
import Testing
import Wire

@testable import Recording

@Suite struct AssemblerTests {
    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// What comes of payloads that follow each other; each is a text, with `!` behind it for the marker and `@n` for the
    /// timestamp.
    private static func assemble(_ codec: Codec, _ payloads: [String], losesBefore lost: Int? = nil)
        -> [FrameAssembler.Output]
    {
        var assembler = FrameAssembler(codec)
        var packetizer = Packetizer(codec, ssrc: 1, sequence: 0)
        var outputs: [FrameAssembler.Output] = []
        var timestamp: UInt32 = 0
        for (index, text) in payloads.enumerated() {
            if index == lost { assembler.noteLoss() }
            let parts = text.filter { $0 != " " }.split(separator: "@")
            if parts.count > 1 { timestamp = UInt32(parts[1]) ?? 0 }
            let hasMarker = parts[0].hasSuffix("!")
            let raw = packetizer.packet(
                bytes(parts[0].filter { $0 != "!" }), timestamp: timestamp, marker: hasMarker)
            raw.withUnsafeBytes { raw in
                guard let packet = RTPPacket(raw) else { return }
                outputs += assembler.add(CapturedPacket(packet, sequence: UInt64(index), arrival: 0))
            }
        }
        return outputs
    }

    private static func frames(_ outputs: [FrameAssembler.Output]) -> [[UInt8]] {
        outputs.compactMap { if case .frame(let captured) = $0 { captured.frame.bytes } else { nil } }
    }

    /// RFC 7741 section 4.3: the header of a keyframe of 320 x 240.
    private static let vp8Key = "10 0200 9d012a 4001 f000"

    @Test func vp8IsWhatStandsBehindTheDescriptors() {
        // RFC 7741 section 4.2: X, I, L, T, K; then a packet that goes on with the first partition, and one of another.
        let outputs = Self.assemble(
            .vp8, ["90 e0 9234 56 a7 \(Self.vp8Key)", "80 e0 9234 56 a7 aabb", "91 80 9234 cc !"]
        )
        #expect(Self.frames(outputs) == [Self.bytes("\(Self.vp8Key) aabbcc")])
        guard case .frame(let first) = outputs.first else { return #expect(Bool(false), "no frame") }
        #expect(first.frame.isKeyframe)
        #expect(first.frame.configuration == CodecConfiguration(codec: .vp8, privateData: [], width: 320, height: 240))
    }

    @Test func aFrameThatMissesAPartIsLeftOut() {
        let payloads = ["10 \(Self.vp8Key) @1", "00 aa", "00 bb !", "10 01 cc ! @2"]
        #expect(Self.assemble(.vp8, payloads, losesBefore: 1).first == .broken)
        #expect(Self.frames(Self.assemble(.vp8, payloads, losesBefore: 1)) == [Self.bytes("01 cc")])
        #expect(Self.assemble(.vp8, payloads, losesBefore: 2).first == .broken)
        // Without its begin; and the frame before is whole.
        let later = Self.assemble(.vp8, ["10 \(Self.vp8Key) ! @1", "00 bb ! @2", "10 01 cc ! @3"], losesBefore: 1)
        #expect(later.count == 3 && later[1] == .broken)
    }

    @Test func anotherTimestampEndsAFrameThatHasNoMarker() {
        let outputs = Self.assemble(.vp8, ["10 \(Self.vp8Key) @1", "10 01 cc @2", "10 01 dd ! @3"])
        #expect(Self.frames(outputs).count == 3 && outputs.count == 3)
        // But not where a packet is missing between them: it may have been the end.
        let lossy = Self.assemble(.vp8, ["10 \(Self.vp8Key) @1", "10 01 cc ! @2"], losesBefore: 1)
        #expect(lossy.first == .broken && Self.frames(lossy) == [Self.bytes("01 cc")])
    }

    @Test func vp9LayersOfAPictureBecomeASuperframe() {
        // RFC 9628 section 4.2: I, L, B, E of spatial layers 0 and 1, non-flexible, TL0PICIDX; a keyframe's header of 16 x 16.
        let key = "82 498342 00 000f 000f"
        let outputs = Self.assemble(.vp9, ["ac 9234 00 56 \(key)", "ac 9234 02 56 8600aabb !"])
        let whole = Self.frames(outputs)
        #expect(whole == [Self.bytes("\(key) 8600aabb d9 09000000 04000000 d9")])
        guard case .frame(let first) = outputs.first else { return #expect(Bool(false), "no frame") }
        #expect(first.frame.isKeyframe)
    }

    @Test func vp9OfALayerFrameWithoutItsEndIsNotWhole() {
        #expect(Self.assemble(.vp9, ["88 9234 82 498342 00 000f 000f !"]) == [.broken])
        #expect(Self.assemble(.vp9, ["84 9234 aabb !"]) == [.broken])
    }

    /// A baseline set of 320 x 240, as libx264 makes it, and a picture set.
    private static let sps = "67 42c00d d9 0141fb 0110 0000 0300 1000 0003 03c0 f142 9960"
    private static let pps = "68 cb83cb20"

    @Test func h264UnitsOfAllPayloadsBecomeOneAccessUnit() {
        // RFC 6184 sections 5.7.1 and 5.8: STAP-A of parameter sets, a single unit, an IDR slice in three fragments.
        let sps = Self.bytes(Self.sps)
        let size = (sps.count < 16 ? "000" : "00") + String(sps.count, radix: 16)
        let stap = "78 \(size) \(Self.sps) 0005 \(Self.pps)"
        let outputs = Self.assemble(.h264, [stap, "06 0102", "7c 85 aa", "7c 05 bb", "7c 45 cc !"])
        #expect(Self.frames(outputs) == [Self.bytes("00000003 060102 00000004 65aabbcc")])
        guard case .frame(let first) = outputs.first else { return #expect(Bool(false), "no frame") }
        let length = sps.count
        let expected =
            [1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0, UInt8(length)] + sps + [1, 0, 5] + Self.bytes(Self.pps)
        #expect(first.frame.isKeyframe)
        #expect(first.frame.configuration?.privateData == expected)
    }

    @Test func h264FragmentsMustFollowEachOther() {
        #expect(Self.assemble(.h264, ["67 42c00d d9 !", "7c 05 bb", "7c 45 cc !"]).last == .broken)
        #expect(Self.assemble(.h264, ["09 f0", "7c 85 aa", "7c 85 bb", "7c 45 cc !"]).last == .broken)
        #expect(Self.assemble(.h264, ["09 f0", "7c 85 aa !"]).last == .broken)
        #expect(Self.assemble(.h264, ["78 0005 6801 !"]).last == .broken)
        #expect(Self.assemble(.h264, ["09 f0", "7d 85 aa !"]).last == .broken)
    }

    @Test func anIDRPictureWithoutParameterSetsIsNoPlaceToBegin() {
        guard case .frame(let captured) = Self.assemble(.h264, ["09 f0", "65 aabb !"]).last else {
            return #expect(Bool(false), "no frame")
        }
        #expect(!captured.frame.isKeyframe && captured.frame.configuration == nil)
    }

    @Test func av1UnitsGetTheirSizesAndLoseTheDelimiters() throws {
        // Section 4.4: W = 0, each element with its length; then an OBU in two packets (Y, then Z).
        let outputs = Self.assemble(.av1, ["08 02 1200 03 300102", "50 30aabb", "90 cc !"])
        #expect(Self.frames(outputs) == [Self.bytes("32020102 3203aabbcc")])
        // A delimiter alone is no picture, and no fault.
        #expect(Self.assemble(.av1, ["18 1200 !"]) == [])
    }

    @Test func av1FragmentsMustFollowEachOther() {
        #expect(Self.assemble(.av1, ["18 300102", "90 cc !"]).last == .broken)
        #expect(Self.assemble(.av1, ["58 30aabb !"]).last == .broken)
        #expect(Self.assemble(.av1, ["08 09 3001 !"]).last == .broken)
        #expect(Self.assemble(.av1, ["28 02 3001 !"]).last == .broken)
    }

    @Test func aFrameHasALimit() {
        var assembler = FrameAssembler(.vp8)
        var packetizer = Packetizer(.vp8, ssrc: 1, sequence: 0)
        let count = FrameAssembler.largestFrame / 1_100 + 2
        var outputs: [FrameAssembler.Output] = []
        for index in 0..<count {
            let head = index == 0 ? Self.bytes("10 \(Self.vp8Key)") : [0]
            let payload = head + [UInt8](repeating: 7, count: 1_100)
            let raw = packetizer.packet(payload, timestamp: 1, marker: index == count - 1)
            raw.withUnsafeBytes { raw in
                outputs += assembler.add(CapturedPacket(RTPPacket(raw)!, sequence: UInt64(index), arrival: 0))
            }
        }
        #expect(outputs == [.broken])
    }

    /// What the encoders of each codec make comes out of the packets as it went in.
    @Test(arguments: [Codec.vp8, .vp9, .h264, .av1, .opus]) func encodersFramesComeBackWhole(_ codec: Codec) throws {
        let clip = try Clips.of(codec)
        var assembler = FrameAssembler(codec)
        var packetizer = Packetizer(codec, ssrc: 1, sequence: 65_000)
        var outputs: [FrameAssembler.Output] = []
        for (index, frame) in clip.frames.enumerated() {
            for raw in packetizer.packets(frame, timestamp: UInt32(index) * 3_000) {
                raw.withUnsafeBytes { raw in
                    outputs += assembler.add(CapturedPacket(RTPPacket(raw)!, sequence: UInt64(index), arrival: 0))
                }
            }
        }
        let frames = Self.frames(outputs)
        #expect(frames.count == outputs.count && frames.count == clip.frames.count && frames.count >= 120)
        if codec == .vp8 || codec == .vp9 || codec == .opus { #expect(frames == clip.frames.map { $0[0] }) }
        if codec == .h264 {
            // The slice is the last unit of each.
            for (frame, units) in zip(frames, clip.frames) {
                #expect(frame.suffix(units.last!.count) == units.last![...])
            }
        }
    }
}
