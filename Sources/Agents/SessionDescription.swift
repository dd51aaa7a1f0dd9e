/// A session description (RFC 8866) in its parts: what offers and answers are made of. Bounded, and without an
/// opinion on what the attributes mean.
public struct SessionDescription: Sendable {
    /// A line `a=name` or `a=name:value`.
    public struct Attribute: Equatable, Sendable {
        public var name: String
        /// Empty for a property.
        public var value: String
        /// Counted from 1.
        public var line: Int
    }

    /// An m-line and the attributes below it.
    public struct Media: Equatable, Sendable {
        /// `audio`, `video`, `application`, ...
        public var kind: String
        public var port: Int
        /// For example `UDP/TLS/RTP/SAVPF`.
        public var proto: String
        public var formats: [String]
        public var attributes: [Attribute] = []
        /// Counted from 1.
        public var line: Int
    }

    /// Chromium offers one camera in three layers and 29 Slots in 140 KiB and 4,600 lines.
    public static let maximumBytes = 256 * 1024
    public static let maximumLines = 12_288
    public static let maximumLineBytes = 4096
    public static let maximumMedia = 64
    public static let maximumFormats = 128

    /// What names the session: the fields of the o-line without the version (RFC 8866 section 5.2).
    public private(set) var origin = ""
    /// The attributes above the first m-line.
    public private(set) var attributes: [Attribute] = []
    public private(set) var media: [Media] = []

    /// Reads lines that end with CR LF or LF.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the line.
    public init(parsing text: String) throws(SDPError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw SDPError(.tooLarge, "more than \(Self.maximumBytes) bytes")
        }
        let bytes = Array(text.utf8)
        for (index, line) in try Self.lines(of: bytes).enumerated() { try take(bytes[line], number: index + 1) }
    }

    /// Where the lines are, without their ends and without empty ones at the end.
    private static func lines(of bytes: [UInt8]) throws(SDPError) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        // A line of a browser's offer has some 30 bytes.
        lines.reserveCapacity(bytes.count / 24)
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for end in 0...bytes.count where end == bytes.count || bytes[end] == 0x0a {
                lines.append(start..<(end > start && bytes[end - 1] == 0x0d ? end - 1 : end))
                start = end + 1
            }
        }
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        guard lines.count <= maximumLines else { throw SDPError(.tooLarge, "more than \(maximumLines) lines") }
        guard lines.count >= 3 else { throw SDPError(.malformed, "not a session description") }
        return lines
    }

    private static func isPrintable(_ line: ArraySlice<UInt8>) -> Bool {
        line.withUnsafeBufferPointer { line in line.allSatisfy { $0 >= 0x20 || $0 == 9 } }
    }

    private mutating func take(_ line: ArraySlice<UInt8>, number: Int) throws(SDPError) {
        guard line.count <= Self.maximumLineBytes else {
            throw SDPError(.tooLarge, line: number, "more than \(Self.maximumLineBytes) bytes")
        }
        guard line.count >= 2, line[line.startIndex + 1] == UInt8(ascii: "="), Self.isPrintable(line) else {
            throw SDPError(.malformed, line: number, "not of the form type=value")
        }
        let value = line.dropFirst(2)
        let type = Unicode.Scalar(line[line.startIndex])
        switch (number, type) {
        case (1, "v"):
            guard value.elementsEqual("0".utf8) else { throw SDPError(.malformed, line: number, "not version 0") }
        case (2, "o"): origin = Self.origin(value)
        case (3, "s"): break
        case (1...3, _):
            throw SDPError(.malformed, line: number, "a description begins with v=, o= and s=")
        case (_, "m"): media.append(try Self.media(value, number: number, count: media.count))
        case (_, "a"):
            let attribute = try Self.attribute(value, number: number)
            if media.isEmpty {
                attributes.append(attribute)
            } else {
                media[media.count - 1].attributes.append(attribute)
            }
        case (_, "i"), (_, "u"), (_, "e"), (_, "p"), (_, "c"), (_, "b"), (_, "t"), (_, "r"), (_, "z"), (_, "k"): break
        default: throw SDPError(.malformed, line: number, "unexpected type \(type.escaped(asASCII: true))=")
        }
    }

    private static func origin(_ value: ArraySlice<UInt8>) -> String {
        var fields = value.split(separator: UInt8(ascii: " "))
        if fields.count > 2 { fields.remove(at: 2) }
        return fields.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    private static func attribute(_ value: ArraySlice<UInt8>, number: Int) throws(SDPError) -> Attribute {
        let colon = value.firstIndex(of: UInt8(ascii: ":")) ?? value.endIndex
        guard colon > value.startIndex else { throw SDPError(.malformed, line: number, "an attribute without a name") }
        // pion ends lines with a blank, which means nothing.
        return Attribute(
            name: String(decoding: value[..<colon].trimmed, as: UTF8.self),
            value: String(decoding: value[colon...].dropFirst().trimmed, as: UTF8.self), line: number)
    }

    private static func media(_ value: ArraySlice<UInt8>, number: Int, count: Int) throws(SDPError) -> Media {
        guard count < maximumMedia else {
            throw SDPError(.tooLarge, line: number, "more than \(maximumMedia) m-lines")
        }
        let fields = value.split(whereSeparator: \.isBlank).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 4, fields.count <= 3 + maximumFormats,
            let port = fields[1].split(separator: "/").first.flatMap({ UInt16($0) }),
            fields.allSatisfy({ $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } })
        else { throw SDPError(.malformed, line: number, "an m-line is m=<media> <port> <proto> <fmt> ...") }
        return Media(kind: fields[0], port: Int(port), proto: fields[2], formats: Array(fields[3...]), line: number)
    }
}

extension [SessionDescription.Attribute] {
    /// The first of that name.
    func first(_ name: String) -> SessionDescription.Attribute? {
        first { $0.name == name }
    }

    func has(_ name: String) -> Bool {
        contains { $0.name == name }
    }

    /// The values of all of that name.
    func values(_ name: String) -> [String] {
        filter { $0.name == name }.map(\.value)
    }
}
