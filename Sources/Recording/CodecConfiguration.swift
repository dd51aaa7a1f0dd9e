import Wire

/// What a file says of its stream in its header: the codec, what a decoder needs before the first frame, and the size of
/// the first picture. Where codec or `privateData` become others a new file begins; a size may change within one.
public struct CodecConfiguration: Sendable, Equatable {
    public var codec: Codec
    /// The element CodecPrivate of the Matroska codec mappings: OpusHead, avcC; for AV1 the sequence header, of which libavformat
    /// makes av1C; none for VP8 and VP9.
    public var privateData: [UInt8]
    /// Pixels; 0 for sound.
    public var width: Int
    public var height: Int

    /// Whether a file that began with the other can go on with this one.
    func goesOn(with other: CodecConfiguration) -> Bool { codec == other.codec && privateData == other.privateData }

    /// OpusHead (RFC 7845 section 5.1) of a stream that is heard from its middle: nothing is skipped. Two channels, which every
    /// Opus stream can be decoded to (RFC 7587 section 4.1).
    static let opus = CodecConfiguration(
        codec: .opus,
        privateData: Array("OpusHead".utf8) + [1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0], width: 0, height: 0)

    /// avcC (ISO/IEC 14496-15 section 5.3.3.1), lengths of 4 bytes. Nil when a parameter set cannot be read, or there are too many.
    static func h264(sequenceSets: [[UInt8]], pictureSets: [[UInt8]]) -> CodecConfiguration? {
        guard let first = sequenceSets.first, first.count >= 4, sequenceSets.count <= 31, !pictureSets.isEmpty,
            pictureSets.count <= 255, (sequenceSets + pictureSets).allSatisfy({ $0.count <= 0xffff }),
            let size = first.withUnsafeBytes({ H264ParameterSet($0) })
        else { return nil }
        var bytes: [UInt8] = [1, first[1], first[2], first[3], 0xff, 0xe0 | UInt8(sequenceSets.count)]
        func add(_ set: [UInt8]) { bytes += [UInt8(set.count >> 8), UInt8(set.count & 0xff)] + set }
        sequenceSets.forEach(add)
        bytes.append(UInt8(pictureSets.count))
        pictureSets.forEach(add)
        // The profiles of High have their sampling here too.
        if ![66, 77, 88].contains(first[1]) {
            bytes += [0xfc | size.chromaFormat, 0xf8 | size.lumaDepth, 0xf8 | size.chromaDepth, 0]
        }
        return CodecConfiguration(codec: .h264, privateData: bytes, width: size.width, height: size.height)
    }
}
