/// What a meeting's copy holds; the same at all PoPs that have applied the same changes in the same order.
public protocol MeetingBody: Sendable {
    associatedtype Change: MeetingChange

    /// A meeting that nobody has changed.
    init()
    /// Nil where the bytes are none: they come from another PoP.
    init?(bytes: [UInt8])
    var bytes: [UInt8] { get }
    /// Why the change may not be made now; nil when it may. Only a Home asks.
    func refusal(of change: Change) -> String?
    mutating func apply(_ change: Change)
    /// Whether a change that was made, or asked for, is to be forgotten: it says what nobody is to know any more.
    func isOutdated(_ change: Change) -> Bool
}

/// A change of a meeting. It sets something, so that it can be made again, and on another history.
public protocol MeetingChange: Sendable {
    init?(bytes: [UInt8])
    var bytes: [UInt8] { get }
    /// What it sets. A later change of one PoP with the same key takes its place.
    var key: String { get }
    /// Whether it takes away what its key named.
    var isRemoval: Bool { get }
    /// Whether it is something that people said, of which there are many keys: for a merge the latest are kept.
    var isMessage: Bool { get }
    /// Whether it counts at its moment alone: no merge makes it again.
    var isMomentary: Bool { get }
    /// Whether others may be outdated by it.
    var outdatesOthers: Bool { get }
}

extension MeetingBody {
    public func isOutdated(_ change: Change) -> Bool { false }
}

extension MeetingChange {
    public var isMessage: Bool { false }
    public var isMomentary: Bool { false }
    public var outdatesOthers: Bool { false }
}
