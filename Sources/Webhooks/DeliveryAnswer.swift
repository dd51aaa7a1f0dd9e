/// What an attempt came to.
public enum DeliveryAnswer: Sendable, Equatable {
    /// A status line came.
    ///
    /// - Parameter retryAfter: the header field Retry-After, as it was written.
    case status(Int, retryAfter: String? = nil)
    /// None came: why, in a few words.
    case silence(String)

    public var status: Int? {
        guard case .status(let status, _) = self else { return nil }
        return status
    }

    /// For people.
    public var words: String {
        switch self {
        case .status(let status, _): "answered \(status)"
        case .silence(let why): why
        }
    }
}
