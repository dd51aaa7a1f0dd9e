import CHiredis

/// What Redis answers (RESP2).
indirect enum RedisReply: Equatable, Sendable {
    case text([UInt8])
    case status(String)
    case error(String)
    case integer(Int64)
    case array([RedisReply])
    case null

    var string: String? {
        switch self {
        case .text(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    var elements: [RedisReply]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

/// Cuts what Redis sends into answers, by hiredis's reader; bounded, whatever the server sends.
final class RedisReplyReader {
    /// Bytes of one answer, and elements of one array.
    static let sizeLimit = 2 << 20
    static let elementLimit = 16_384

    struct Failure: Error {
        let reason: String
    }

    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    /// Bytes since the last answer.
    private var waiting = 0

    init() {
        functions = .allocate(capacity: 1)
        functions.initialize(to: nodeFunctions())
        guard let reader = redisReaderCreateWithFunctions(functions) else { fatalError("no memory for a reader") }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        waiting += bytes.count
        guard waiting <= Self.sizeLimit else { throw Failure(reason: "an answer of more than 2 MiB") }
        guard redisReaderFeed(reader, base.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK else {
            throw failure
        }
    }

    /// The next answer, or nil until there is more to read.
    func next() throws(Failure) -> RedisReply? {
        var found: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &found) == REDIS_OK else { throw failure }
        guard let found else { return nil }
        waiting = reader.pointee.len - reader.pointee.pos
        return Unmanaged<ReplyNode>.fromOpaque(found).takeRetainedValue().reply
    }

    private var failure: Failure {
        let reason = withUnsafeBytes(of: &reader.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Failure(reason: "no answer of Redis: \(reason)")
    }
}

/// What hiredis's reader makes. The outermost is retained for whoever takes it; arrays hold what is within.
private final class ReplyNode {
    private var value: RedisReply
    private var elements: [ReplyNode]

    init(_ value: RedisReply, capacity: Int = 0) {
        self.value = value
        elements = []
        elements.reserveCapacity(capacity)
    }

    var reply: RedisReply {
        guard case .array = value else { return value }
        return .array(elements.map(\.reply))
    }

    /// What the reader gets for it.
    func handOver(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer {
        guard let parent = task?.pointee.parent?.pointee.obj else { return Unmanaged.passRetained(self).toOpaque() }
        Unmanaged<ReplyNode>.fromOpaque(parent).takeUnretainedValue().elements.append(self)
        return Unmanaged.passUnretained(self).toOpaque()
    }
}

private func nodeFunctions() -> redisReplyObjectFunctions {
    var functions = redisReplyObjectFunctions()
    functions.createString = { task, text, count in
        let bytes = UnsafeRawBufferPointer(start: text, count: count)
        let value: RedisReply =
            switch task?.pointee.type {
            case REDIS_REPLY_ERROR: .error(String(decoding: bytes.prefix(512), as: UTF8.self))
            case REDIS_REPLY_STATUS: .status(String(decoding: bytes.prefix(512), as: UTF8.self))
            default: .text([UInt8](bytes))
            }
        return ReplyNode(value).handOver(task)
    }
    functions.createArray = { task, count in
        // Nil makes the reader fail.
        guard (0...Int32(RedisReplyReader.elementLimit)).contains(count) else { return nil }
        return ReplyNode(.array([]), capacity: Int(count)).handOver(task)
    }
    functions.createInteger = { task, number in ReplyNode(.integer(number)).handOver(task) }
    functions.createNil = { task in ReplyNode(.null).handOver(task) }
    functions.freeObject = { node in
        guard let node else { return }
        Unmanaged<ReplyNode>.fromOpaque(node).release()
    }
    return functions
}
