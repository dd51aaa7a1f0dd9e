/// What a client trickles by HTTP (RFC 8840 section 9, as RFC 9725 section 4.3 uses it): its credentials and candidates.
public struct TrickleFragment: Equatable, Sendable {
    /// Nil where it has none.
    public private(set) var ufrag: String?
    public private(set) var password: String?
    public private(set) var candidates: [ICECandidate] = []

    /// More candidates than any client has.
    public static let maximumCandidates = 128
    public static let maximumLines = 512

    /// Reads lines that end with CR LF or LF; attributes that it does not know are passed over.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the line.
    public init(parsing text: String) throws(SDPError) {
        let lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
        guard lines.count <= Self.maximumLines else {
            throw SDPError(.tooLarge, "more than \(Self.maximumLines) lines")
        }
        for (index, line) in lines.enumerated() {
            let line = line.last == 0x0d ? line.dropLast() : line
            guard !line.isEmpty else { continue }
            guard let text = String(line) else { throw SDPError(.malformed, line: index + 1, "not UTF-8") }
            try take(text, number: index + 1)
        }
        guard ufrag != nil || !candidates.isEmpty else {
            throw SDPError(.malformed, "neither credentials nor candidates")
        }
    }

    /// What an answer says of ICE, as a fragment that the server sends (RFC 9725 section 4.3.3): of the first m-line that
    /// was accepted, as all share its transport.
    public static func text(of answer: String) -> String {
        var sections: [[Substring]] = [[]]
        for line in answer.split(separator: "\r\n") {
            if line.hasPrefix("m=") { sections.append([]) }
            sections[sections.count - 1].append(line)
        }
        let session = sections[0].filter { $0 == "a=ice-lite" || $0.hasPrefix("a=group:") }
        let media = sections.dropFirst().first { $0[0].split(separator: " ").dropFirst().first != "0" } ?? []
        let names = ["m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"]
        let lines = session + media.filter { line in names.contains { line.hasPrefix($0) } }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private mutating func take(_ line: String, number: Int) throws(SDPError) {
        guard line.hasPrefix("a=") || line.hasPrefix("m=") else {
            throw SDPError(.malformed, line: number, "not of a fragment")
        }
        guard let colon = line.firstIndex(of: ":"), line.hasPrefix("a=") else { return }
        let value = line[line.index(after: colon)...]
        switch line[..<colon] {
        case "a=ice-ufrag":
            ufrag = try Self.credential(value, length: 4...256, unlike: ufrag, number: number)
        case "a=ice-pwd":
            password = try Self.credential(value, length: 22...256, unlike: password, number: number)
        case "a=candidate":
            guard let candidate = ICECandidate(line) else {
                throw SDPError(.malformed, line: number, "not a candidate")
            }
            guard candidates.count < Self.maximumCandidates else {
                throw SDPError(.tooLarge, line: number, "more than \(Self.maximumCandidates) candidates")
            }
            candidates.append(candidate)
        default: break
        }
    }

    /// Of all m-lines the same, as they share a transport.
    private static func credential(
        _ value: Substring, length: ClosedRange<Int>, unlike known: String?, number: Int
    ) throws(SDPError) -> String {
        guard ICECredentials.isValid(value, length: length), known == nil || known == String(value) else {
            throw SDPError(.malformed, line: number, "not a credential, or another one than before")
        }
        return String(value)
    }
}
