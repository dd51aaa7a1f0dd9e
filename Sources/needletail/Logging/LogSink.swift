/// Where whole lines go.
struct LogSink: TextOutputStream, Sendable {
    private let take: @Sendable (String) -> Void

    static let standardError = LogSink { LineWriter.standardError.write($0) }

    init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }

    func write(_ line: String) { take(line) }
}
