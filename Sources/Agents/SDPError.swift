/// Why a session description cannot be used.
public struct SDPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of error it is, for the status of an answer.
    public enum Reason: Equatable, Sendable {
        /// Not what RFC 8866 allows.
        case malformed
        /// More bytes, lines or m-lines than we accept.
        case tooLarge
        /// Well-formed, but a session cannot be made from it: no BUNDLE, no ICE credentials, no fingerprint, ...
        case unusable
    }

    public var reason: Reason
    /// The line that is wrong, counted from 1; nil when something is missing from the whole.
    public var line: Int?
    public var message: String

    public init(_ reason: Reason, line: Int? = nil, _ message: String) {
        self.reason = reason
        self.line = line
        self.message = message
    }

    public var description: String {
        line.map { "line \($0): \(message)" } ?? message
    }
}
