import CHiredis

/// A command in the form in which Redis reads it.
struct RedisCommand: Sendable {
    let bytes: [UInt8]

    init(_ words: [[UInt8]]) {
        // A byte more, so that there is a first one.
        let flat = Array(words.joined()) + [0]
        var target: UnsafeMutablePointer<CChar>?
        let count = flat.withUnsafeBytes { flat in
            let start = flat.bindMemory(to: CChar.self).baseAddress!
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = []
            for word in words {
                pointers.append(start + offset)
                offset += word.count
            }
            return redisFormatCommandArgv(&target, Int32(words.count), &pointers, words.map(\.count))
        }
        // It fails for want of memory alone.
        guard count >= 0, let target else { fatalError("no memory for a command") }
        defer { redisFreeCommand(target) }
        bytes = [UInt8](UnsafeRawBufferPointer(start: target, count: Int(count)))
    }

    init(_ words: String...) { self.init(words.map { Array($0.utf8) }) }
}
