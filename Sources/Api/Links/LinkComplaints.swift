import Fleet
import Logging

/// Says in the log why there is no link with somebody: each reason at once, and again after ten minutes.
struct LinkComplaints {
    private static let pause: Duration = .seconds(600)
    /// Of so many reasons of peers it is remembered: strangers are named by their address.
    private static let most = 512

    private struct Key: Hashable {
        var who: String
        var kind: String
    }

    private struct Said {
        var at: Duration
        /// Since then, without a line.
        var count = 0
    }

    private let logger: Logger
    private var said: [Key: Said] = [:]

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameter who: a PoP's name, or a stranger's address.
    mutating func say(_ message: Logger.Message, _ who: String, _ failure: LinkFailure, at now: Duration) {
        let key = Key(who: who, kind: failure.kind)
        if let before = said[key], now < before.at + Self.pause {
            said[key]?.count += 1
            return
        }
        if said[key] == nil, said.count >= Self.most { said.removeAll() }
        var metadata: Logger.Metadata = ["peer": "\(who)", "reason": "\(Self.printable(failure.description))"]
        if let count = said[key]?.count, count > 0 { metadata["more_before"] = "\(count)" }
        said[key] = Said(at: now)
        logger.warning(message, metadata: metadata)
    }

    /// A link is there: what happens next is new.
    mutating func forget(_ who: String) { said = said.filter { $0.key.who != who } }

    /// Part of it may be a stranger's words.
    private static func printable(_ text: String) -> String {
        String(text.prefix(300).map { $0.isASCII && !$0.isNewline && ($0.asciiValue ?? 0) >= 0x20 ? $0 : "?" })
    }
}
