/// An element of the header Accept, or the value of Content-Type (RFC 9110 sections 8.3 and 12.5.1).
struct MediaRange {
    /// In lower case, without parameters.
    let name: String
    private let isRefused: Bool

    init(_ text: some StringProtocol) {
        let parts = text.lowercased().filter { !$0.isWhitespace }.split(separator: ";").map(String.init)
        name = parts.first ?? ""
        // A weight of 0 means that it is not acceptable (section 12.4.2).
        isRefused = parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
    }

    func covers(_ type: String) -> Bool {
        guard !isRefused else { return false }
        return name == "*/*" || name == type || name == "\(type.prefix { $0 != "/" })/*"
    }
}
