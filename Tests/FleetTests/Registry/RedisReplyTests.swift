import Testing

@testable import Redis

/// Whatever a server sends is an answer, needs more, or ends the connection.
@Suite struct RedisReplyTests {
    private static func read(_ text: String, by step: Int = .max) throws -> [RedisReply] {
        let reader = RedisReplyReader()
        let bytes = Array(text.utf8)
        var found: [RedisReply] = []
        var next = 0
        while next < bytes.count {
            let end = min(bytes.count, step == .max ? .max : next + step)
            try bytes[next..<end].withUnsafeBytes { try reader.feed($0) }
            next = end
            while let reply = try reader.next() { found.append(reply) }
        }
        return found
    }

    @Test(arguments: [1, 3, Int.max]) func answersAreReadHoweverTheyAreCut(_ step: Int) throws {
        let text = "+OK\r\n-ERR no\r\n:-7\r\n$5\r\na\r\nbc\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n*2\r\n:1\r\n$0\r\n\r\n+x\r\n"
        #expect(
            try Self.read(text, by: step) == [
                .status("OK"), .error("ERR no"), .integer(-7), .text(Array("a\r\nbc".utf8)), .null, .null, .array([]),
                .array([.array([.integer(1), .text([])]), .status("x")]),
            ])
    }

    @Test(arguments: [
        "*2147483647\r\n", "*16385\r\n", "*9223372036854775807\r\n", "*-2\r\n", "HTTP/1.1 400 Bad Request\r\n", "\r\n",
        "$-9\r\n", String(repeating: "*1\r\n", count: 20), "%1\r\n+a\r\n+b\r\n",
    ])
    func whatIsNoAnswerEndsIt(_ text: String) {
        #expect(throws: RedisReplyReader.Failure.self) { try Self.read(text) }
    }

    @Test func anAnswerHasALimit() throws {
        let half = String(repeating: "x", count: RedisReplyReader.sizeLimit / 2)
        let fits = "$\(half.count)\r\n\(half)\r\n"
        #expect(try Self.read(fits + fits + fits, by: 60_000).count == 3)
        #expect(throws: RedisReplyReader.Failure.self) {
            try Self.read("$999999999\r\n" + half + half + half, by: 60_000)
        }
    }

    @Test(arguments: 1...50) func noiseNeitherTrapsNorLeaks(_ seed: Int) {
        var generator = Seeded(seed)
        let alphabet = Array("*$:+-\r\n0123456789ab")
        for _ in 0..<200 {
            let text = String((0..<60).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
            let lines = text.replacing("a", with: "\r\n")
            if let found = try? Self.read(lines, by: 7) { #expect(found.count <= lines.utf8.count) }
        }
    }

    @Test func aCommandIsWrittenByLength() {
        let command = RedisCommand([Array("SET".utf8), [], [0, 13, 10, 255]])
        #expect(command.bytes == Array("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n".utf8) + [0, 13, 10, 255, 13, 10])
    }

    @Test func theWaitGrowsAndIsSpread() {
        var backoff = Backoff()
        var generator = Seeded(3)
        var waits = (0..<12).map { _ in backoff.next(using: &generator) }
        for (index, wait) in waits.enumerated() {
            let step = min(backoff.limit, backoff.first * (1 << index))
            #expect(wait >= step / 2 && wait <= step)
        }
        #expect(Set(waits.suffix(5)).count == 5)
        backoff.reset()
        waits.append(backoff.next(using: &generator))
        #expect(waits[12] <= backoff.first)
    }
}
