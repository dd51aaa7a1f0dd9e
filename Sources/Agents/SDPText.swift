/// Text of a session description as it is written, lines ended by CR LF.
struct SDPText {
    private(set) var lines = ""
    /// Runs of lines that are written more than once.
    private var known: [String: String] = [:]

    init() { lines.reserveCapacity(32 * 1024) }

    mutating func add(_ line: String) {
        lines += line
        lines += "\r\n"
    }

    mutating func add(_ more: [String]) { for line in more { add(line) } }

    /// Writes what `body` does, and for the same key the same again; without a key, what `body` does.
    mutating func add(once key: String?, _ body: (inout SDPText) -> Void) {
        guard let key else { return body(&self) }
        if let text = known[key] {
            lines += text
            return
        }
        let start = lines.utf8.count
        body(&self)
        known[key] = String(lines.utf8.dropFirst(start))
    }
}
