import NIOCore

/// A reply of BIRD 2 on its control socket: lines that begin with a code of four digits, then `-` when more follow and a
/// space on the last; lines in between may begin with a space (BIRD Programmer's Documentation, section CLI).
struct BirdReply: Equatable {
    var code: Int
    var text: String

    /// 8xxx: refused; 9xxx: not understood.
    var isError: Bool { code >= 8_000 }

    /// A reply has at most so many bytes; ours have one line.
    static let limit = 16_384

    /// The first whole reply in `buffer`, which is then taken off; nil while it is not complete.
    static func take(from buffer: inout ByteBuffer) throws -> BirdReply? {
        var lines: [Substring] = []
        let readable = buffer.readableBytesView
        var start = readable.startIndex
        while let end = readable[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Substring(decoding: readable[start..<end], as: UTF8.self)
            start = readable.index(after: end)
            lines.append(line)
            guard let code = Int(line.prefix(4)), line.prefix(4).utf8.count == 4, line.dropFirst(4).first == " " else {
                continue
            }
            buffer.moveReaderIndex(to: start)
            return BirdReply(code: code, text: String(line.dropFirst(5)))
        }
        guard buffer.readableBytes < limit else { throw BirdFailure("an endless reply") }
        return nil
    }
}

/// Why BIRD could not be told.
struct BirdFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
