/// Why the Store cannot be opened: said to the operator, with what to do.
public struct StoreRefusal: Error, CustomStringConvertible {
    /// Behind the file's name.
    public let reason: String
    public var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}

/// Why a write was not acknowledged.
public enum StoreFailure: Error, Equatable {
    /// It was not stored, and will not be.
    case unavailable(String)
    /// Nobody knows yet: it may be stored later. What follows in the queue comes behind it.
    case late
}
