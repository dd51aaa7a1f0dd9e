/// The picture's size in an H.264 sequence parameter set (section 7.3.2.1.1).
@frozen
public struct H264ParameterSet: Sendable, BitwiseCopyable {
    /// Pixels, without what is cropped.
    public let width: Int
    public let height: Int
    /// chroma_format_idc, bit_depth_luma_minus8 and bit_depth_chroma_minus8.
    public let chromaFormat: UInt8
    public let lumaDepth: UInt8
    public let chromaDepth: UInt8

    /// From a NAL unit with its header; nil when it is another, cut off, or of no height that an encoder makes.
    public init?(_ unit: UnsafeRawBufferPointer) {
        var reader = SyntaxReader(unit, skipsEmulation: true)
        guard let header = reader.bits(8), header & 0x1f == 7, let profile = reader.bits(8), reader.skip(16),
            reader.golomb() != nil, let sampling = Self.sampling(&reader, profile: profile), reader.golomb() != nil,
            Self.skipOrder(&reader), reader.golomb() != nil, reader.skip(1), let columnUnits = reader.golomb(),
            columnUnits < 1_024, let units = reader.golomb(), units < 1_024, let isProgressive = reader.flag(),
            isProgressive || reader.skip(1), reader.skip(1), let isCropped = reader.flag()
        else { return nil }
        let fields = isProgressive ? 1 : 2
        var rows = fields * (Int(units) + 1) * 16
        var columns = (Int(columnUnits) + 1) * 16
        if isCropped {
            guard let left = reader.golomb(), left < 16_384, let right = reader.golomb(), right < 16_384,
                let top = reader.golomb(), top < 16_384, let bottom = reader.golomb(), bottom < 16_384
            else { return nil }
            rows -= (Int(top) + Int(bottom)) * fields * (sampling.chroma == 1 ? 2 : 1)
            columns -= (Int(left) + Int(right)) * (sampling.chroma == 1 || sampling.chroma == 2 ? 2 : 1)
        }
        guard rows > 0, columns > 0 else { return nil }
        height = rows
        width = columns
        chromaFormat = UInt8(truncatingIfNeeded: sampling.chroma)
        lumaDepth = UInt8(truncatingIfNeeded: sampling.lumaDepth)
        chromaDepth = UInt8(truncatingIfNeeded: sampling.chromaDepth)
    }

    private typealias Sampling = (chroma: UInt32, lumaDepth: UInt32, chromaDepth: UInt32)

    /// 4:2:0 in 8 bits where the profile has no other.
    private static func sampling(_ reader: inout SyntaxReader, profile: UInt32) -> Sampling? {
        switch profile {
        case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135: break
        default: return (1, 0, 0)
        }
        guard let chroma = reader.golomb(), chroma <= 3, chroma != 3 || reader.skip(1), let luma = reader.golomb(),
            luma <= 6, let depth = reader.golomb(), depth <= 6, reader.skip(1), let hasMatrices = reader.flag()
        else { return nil }
        guard hasMatrices else { return (chroma, luma, depth) }
        for list in 0..<(chroma == 3 ? 12 : 8) {
            guard let isPresent = reader.flag() else { return nil }
            if isPresent, !skipList(&reader, count: list < 6 ? 16 : 64) { return nil }
        }
        return (chroma, luma, depth)
    }

    /// A scaling list (section 7.3.2.1.1.1).
    private static func skipList(_ reader: inout SyntaxReader, count: Int) -> Bool {
        var last: Int32 = 8
        var next: Int32 = 8
        for _ in 0..<count {
            if next != 0 {
                guard let delta = reader.signedGolomb() else { return false }
                next = (last &+ delta) & 0xff
            }
            if next != 0 { last = next }
        }
        return true
    }

    /// The order of pictures.
    private static func skipOrder(_ reader: inout SyntaxReader) -> Bool {
        switch reader.golomb() {
        case 0: return reader.golomb() != nil
        case 1:
            guard reader.skip(1), reader.golomb() != nil, reader.golomb() != nil, let count = reader.golomb(),
                count < 256
            else { return false }
            for _ in 0..<count where reader.golomb() == nil { return false }
            return true
        case 2: return true
        default: return false
        }
    }
}

extension H264Payload {
    /// The sequence parameter set that stands whole in a payload, as a single NAL unit or in a STAP-A.
    public static func parameterSet(in payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let base = payload.baseAddress, payload.count >= 1 else { return nil }
        if base.u8(0) & 0x1f == 7 { return payload }
        guard base.u8(0) & 0x1f == 24 else { return nil }
        var offset = 1
        while offset &+ 3 <= payload.count {
            let size = Int(base.be16(offset))
            guard size > 0, offset &+ 2 &+ size <= payload.count else { return nil }
            if base.u8(offset &+ 2) & 0x1f == 7 { return payload.part(offset &+ 2, size) }
            offset &+= 2 &+ size
        }
        return nil
    }
}
