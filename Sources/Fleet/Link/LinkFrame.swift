/// A frame of a link: its length (4 bytes, big endian, of what follows), its type (1 byte), its body.
public struct LinkFrame: Hashable, Sendable {
    public static let header = 5

    public let type: UInt8
    public let body: [UInt8]

    public init(type: UInt8, body: [UInt8]) {
        self.type = type
        self.body = body
    }

    public var bytes: [UInt8] {
        var writer = LinkWriter()
        writer.put(UInt32(body.count + 1))
        writer.put(type)
        writer.put(raw: body)
        return writer.bytes
    }
}

/// Takes frames out of a byte stream. Of an unfinished frame it keeps what has come, so never more than the limit.
public struct LinkFrameDecoder: Sendable {
    /// The longest frame, its header left out.
    public var limit: Int
    private var buffer: [UInt8] = []
    private var start = 0

    public init(limit: Int) { self.limit = limit }

    /// Bytes of a frame that has not come whole.
    public var waiting: Int { buffer.count - start }

    /// - Returns: how many of the bytes were taken: the rest is given again after `next` has returned nil.
    public mutating func take(_ bytes: ArraySlice<UInt8>) -> Int {
        let room = max(0, limit + LinkFrame.header - 1 - waiting)
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes.prefix(room)
        return min(room, bytes.count)
    }

    /// Nil until a frame has come whole.
    public mutating func next() throws(LinkFailure) -> LinkFrame? {
        guard waiting >= 4 else { return nil }
        let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 1 else { throw .malformed("a frame without a type") }
        guard length <= limit else { throw .malformed("a frame of \(length) bytes, \(limit) are allowed") }
        guard waiting >= 4 + length else { return nil }
        let frame = LinkFrame(
            type: buffer[start + 4], body: Array(buffer[start + LinkFrame.header..<start + 4 + length]))
        start += 4 + length
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        }
        return frame
    }
}
