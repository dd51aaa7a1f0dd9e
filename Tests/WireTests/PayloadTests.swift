import Testing
import Wire

@Suite struct PayloadTests {
    /// RFC 7741 section 4.3's key frame header for 320 x 240: size bits, start code, little-endian dimensions.
    static let keyframe = "10 0200 9d012a 4001 f000"

    @Test func vp8WithoutExtensions() throws {
        try with("10 \(Self.keyframe)") { raw in
            let vp8 = try #require(VP8Descriptor(raw))
            #expect(vp8.length == 1 && vp8.startsPartition && vp8.partition == 0 && vp8.startsKeyframe)
            #expect(vp8.pictureID == nil && vp8.tl0PictureIndex == nil && vp8.temporalID == nil && vp8.keyIndex == nil)
            #expect(vp8.size?.width == 320 && vp8.size?.height == 240)
        }
    }

    @Test func vp8WithEverything() throws {
        try with("b0 f0 9234 56 a7 \(Self.keyframe)") { raw in
            let vp8 = try #require(VP8Descriptor(raw))
            #expect(vp8.length == 6 && vp8.isNonReference && vp8.hasLongPictureID)
            #expect(vp8.pictureID == 0x1234 && vp8.tl0PictureIndex == 0x56)
            #expect(vp8.temporalID == 2 && vp8.isLayerSync && vp8.keyIndex == 7)
            #expect(vp8.pictureIDOffset == 2 && vp8.tl0Offset == 4 && vp8.tidOffset == 5 && vp8.size?.height == 240)
        }
    }

    @Test func vp8WithShortPictureID() throws {
        try with("90 80 11 01") { raw in
            let vp8 = try #require(VP8Descriptor(raw))
            #expect(vp8.pictureID == 0x11 && !vp8.hasLongPictureID && vp8.length == 3)
            // P of the payload header: an inter frame.
            #expect(!vp8.startsKeyframe && vp8.size == nil)
        }
    }

    @Test func vp8OfALaterPartitionStartsNoKeyframe() {
        with("11 00 00") { #expect(VP8Descriptor($0)?.startsKeyframe == false) }
        with("00 00 00") { #expect(VP8Descriptor($0)?.startsKeyframe == false) }
    }

    @Test(arguments: ["", "10", "80 80", "80 80 11", "80 80 9234", "80 f0 9234 56 a7", "80 40 01", "80 20 01"])
    func vp8ThatDoesNotFit(_ text: String) { with(text) { #expect(VP8Descriptor($0) == nil) } }

    @Test(arguments: [
        ("90 e0 9234 56 a7 00", "90 e0 ffff 21 a7 00"), ("90 c0 11 56 00", "90 c0 7f 21 00"), ("10 00", "10 00"),
        ("90 40 56 00", "90 40 21 00"),
    ])
    func vp8IsRewrittenInPlace(_ before: String, _ after: String) throws {
        var payload = bytes(before)
        try payload.withUnsafeMutableBytes { raw in
            let vp8 = try #require(VP8Descriptor(UnsafeRawBufferPointer(raw)))
            vp8.rewrite(in: raw.baseAddress!, pictureID: 0x7fff, tl0PictureIndex: 0x21)
        }
        #expect(payload == bytes(after))
    }

    /// RFC 9628 section 4.2: key picture with a scalability structure of two layers.
    @Test func vp9WithStructure() throws {
        // I, L, B, V; picture id 15 bits; TID 0, SID 0; TL0PICIDX; N_S 1, Y, G; 2 sizes; 1 picture with 1 reference.
        try with("aa 9234 00 56 38 0140 00b4 0280 0168 01 04 01 ff") { raw in
            let vp9 = try #require(VP9Descriptor(raw))
            #expect(vp9.pictureID == 0x1234 && vp9.tl0PictureIndex == 0x56 && vp9.spatialID == 0 && vp9.temporalID == 0)
            #expect(vp9.width == 640 && vp9.height == 360 && vp9.hasStructure)
            #expect(vp9.startsKeyframe && vp9.length == 17 && raw.count == 18)
            #expect(vp9.pictureIDOffset == 1 && vp9.layerOffset == 3 && vp9.tl0Offset == 4)
        }
    }

    @Test func vp9InFlexibleMode() throws {
        // I, P, L, F, E; 7-bit picture id; TID 2, U, SID 1, D; two P_DIFF.
        try with("f4 11 53 03 04 ff") { raw in
            let vp9 = try #require(VP9Descriptor(raw))
            #expect(vp9.pictureID == 0x11 && !vp9.hasLongPictureID && vp9.tl0PictureIndex == nil)
            #expect(vp9.temporalID == 2 && vp9.spatialID == 1 && vp9.isSwitchingUpPoint && vp9.isInterLayerPredicted)
            #expect(vp9.isFlexible && vp9.isInterPicture && vp9.endsFrame && !vp9.startsFrame)
            #expect(vp9.length == 5 && !vp9.startsKeyframe)
        }
    }

    @Test func vp9UpperSpatialLayerOfAKeyPictureStartsNoKeyframe() {
        with("a8 11 02 00 ff") { #expect(VP9Descriptor($0)?.startsKeyframe == false) }
    }

    @Test(arguments: [
        "", "08", "80 80", "80 11", "a0 11 00", "a0 11 00 56", "d0 11 01 01 01 01 ff", "d0 11 01", "02 20",
        "02 18 0140 00b4", "02 08 ff 00", "02 08 01 0c 01 01",
    ])
    func vp9ThatDoesNotFit(_ text: String) { with(text) { #expect(VP9Descriptor($0) == nil) } }

    @Test(arguments: [
        // Single units: SPS, IDR slice, other slice; STAP-A of SPS, PPS; of PPS; FU-A start and middle of an IDR slice,
        // start of an SPS.
        ("67 42", true, false), ("65 88", false, true), ("41 9a", false, false),
        ("78 0002 6742 0002 68ce", true, false), ("78 0002 68ce", false, false), ("78 0002 6742 0001 65", true, true),
        ("7c 85 88", false, true), ("7c 05 88", false, false), ("7c 87 42", true, false),
    ])
    func h264Units(_ text: String, _ hasSPS: Bool, _ startsIDR: Bool) throws {
        try with(text) { raw in
            let payload = try #require(H264Payload(raw))
            #expect(payload.hasSPS == hasSPS && payload.startsIDR == startsIDR)
            #expect(Codec.h264.startsKeyframe(raw) == hasSPS)
        }
    }

    @Test(arguments: [
        "", "78", "78 0002 67", "78 0000", "78 0002 6742 00", "79 0000 0001 67", "7d 85", "7c", "00", "7f",
    ])
    func h264ThatIsRefused(_ text: String) { with(text) { #expect(H264Payload($0) == nil) } }

    @Test(arguments: [
        // N set; a sequence header as first element with and without lengths; behind another element.
        ("18 0a 0b", true), ("10 0a 0b", true), ("00 02 0a0b 02 3200", true), ("20 01 32 0a0b", true),
        // A frame; an element that continues another; a length beyond the end, and one of 5 bytes.
        ("10 32 00", false), ("90 0a 0b", false), ("00 09 0a0b", false), ("00 8080808001 0a", false),
        // The second element begins an OBU though the first continues one.
        ("a0 01 0a 0a0b", true), ("10", false), ("", false),
    ])
    func av1Keyframes(_ text: String, _ starts: Bool) { with(text) { #expect(Codec.av1.startsKeyframe($0) == starts) } }

    @Test func av1AggregationHeader() throws {
        try with("d0 00") { raw in
            let av1 = try #require(AV1Payload(raw))
            #expect(av1.continuesElement && av1.isContinued && av1.elementCount == 1 && !av1.startsSequence)
        }
    }

    /// Made by OpenH264 (1280 x 720, and 1920 x 1080 with cropping) and x264 (High profile, with emulation prevention).
    @Test(arguments: [
        ("6742c01f8c8d402802dd00f08846a0", 720), ("6742c0288c8d403c0113f2c03c2211a8", 1_080),
        ("6764001facd9405005bb0110000003001000000303c0f1831960", 720),
    ])
    func heightOfAnH264ParameterSet(_ text: String, _ height: UInt16) {
        with(text) { #expect(Codec.h264.pictureHeight($0) == height) }
        // In a STAP-A behind an access unit delimiter, before a picture parameter set.
        let unit = bytes(text)
        let aggregate = bytes("78 0002 0910 00") + [UInt8(unit.count)] + unit + bytes("0004 68ce3c80")
        with(aggregate) { #expect(Codec.h264.pictureHeight($0) == height) }
        // Cut off anywhere before the size it tells nothing.
        for count in 0..<8 { with(Array(unit.prefix(count))) { #expect(Codec.h264.pictureHeight($0) == nil) } }
    }

    /// Made by libvpx in profiles 0 and 3, behind a payload descriptor without a structure; and a structure's own word.
    @Test(arguments: [
        ("0c 824983422027f0167610", 360), ("0c b124c1a150027f8167b041", 720), ("0c b124c1a15003bf821bb061", 1_080),
        ("aa 9234 00 56 38 0140 00b4 0280 0168 01 04 01 ff", 360),
    ])
    func heightOfAVP9Picture(_ text: String, _ height: UInt16) {
        with(text) { #expect(Codec.vp9.pictureHeight($0) == height) }
    }

    @Test(arguments: ["4c 824983422027f0167610", "0c 864983422027f0167610", "0c 824983422027f0"])
    func framesOfVP9ThatTellNoHeight(_ text: String) { with(text) { #expect(Codec.vp9.pictureHeight($0) == nil) } }

    /// Made by libaom: a whole OBU with its size, and one without, as RTP has it.
    @Test(arguments: [
        ("18 0a0c20000042abbfc37e0657c81032", 1_080), ("18 0a0c2000002d4cffb3f8195f204032", 720),
        ("18 080000000cc4ff67e06d7c802032", 360),
    ])
    func heightOfAnAV1SequenceHeader(_ text: String, _ height: UInt16) {
        with(text) { #expect(Codec.av1.pictureHeight($0) == height) }
        for count in 0..<9 { with(Array(bytes(text).prefix(count))) { #expect(Codec.av1.pictureHeight($0) == nil) } }
    }

    @Test func heightOfAVP8Picture() {
        with("10 \(Self.keyframe)") { #expect(Codec.vp8.pictureHeight($0) == 240) }
        with("10 01 \(Self.keyframe)") { #expect(Codec.vp8.pictureHeight($0) == nil) }
        with("10 00") { #expect(Codec.opus.pictureHeight($0) == nil) }
    }
}
