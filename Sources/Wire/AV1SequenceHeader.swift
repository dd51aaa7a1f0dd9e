/// The largest frame of an AV1 sequence header (AV1 bitstream specification, section 5.5).
@frozen
public struct AV1SequenceHeader: Sendable, BitwiseCopyable {
    public let width: Int
    public let height: Int

    /// From an OBU with its header; nil when it is another, or cut off before the size.
    public init?(_ unit: UnsafeRawBufferPointer) {
        var reader = SyntaxReader(unit)
        guard reader.flag() == false, reader.bits(4) == 1, let hasExtension = reader.flag(),
            let hasSize = reader.flag(),
            reader.flag() == false, !hasExtension || reader.skip(8), !hasSize || Self.skipSize(&reader),
            let profile = reader.bits(3), profile <= 2, reader.skip(1), let isReduced = reader.flag(),
            isReduced ? reader.skip(5) : Self.skipOperatingPoints(&reader), let columnBits = reader.bits(4),
            let rowBits = reader.bits(4), let columns = reader.bits(Int(columnBits) + 1),
            let rows = reader.bits(Int(rowBits) + 1)
        else { return nil }
        width = Int(columns) + 1
        height = Int(rows) + 1
    }

    /// obu_size in base 128.
    private static func skipSize(_ reader: inout SyntaxReader) -> Bool {
        for _ in 0..<8 {
            guard let byte = reader.bits(8) else { return false }
            if byte & 0x80 == 0 { return true }
        }
        return false
    }

    private static func skipOperatingPoints(_ reader: inout SyntaxReader) -> Bool {
        guard let hasTiming = reader.flag() else { return false }
        var delayBits: Int?
        if hasTiming {
            guard reader.skip(64), let isEqual = reader.flag(), !isEqual || skipVariable(&reader),
                let hasModel = reader.flag()
            else { return false }
            if hasModel {
                guard let length = reader.bits(5), reader.skip(42) else { return false }
                delayBits = Int(length) + 1
            }
        }
        guard let hasDisplayDelay = reader.flag(), let last = reader.bits(5) else { return false }
        for _ in 0...last {
            guard reader.skip(12), let level = reader.bits(5), level <= 7 || reader.skip(1) else { return false }
            if let delayBits {
                guard let isPresent = reader.flag(), !isPresent || reader.skip(2 * delayBits + 1) else { return false }
            }
            if hasDisplayDelay {
                guard let isPresent = reader.flag(), !isPresent || reader.skip(4) else { return false }
            }
        }
        return true
    }

    /// uvlc(): as many bits as zeros stand before a one.
    private static func skipVariable(_ reader: inout SyntaxReader) -> Bool {
        for zeros in 0..<32 {
            guard let bit = reader.flag() else { return false }
            if bit { return reader.skip(zeros) }
        }
        return false
    }
}
