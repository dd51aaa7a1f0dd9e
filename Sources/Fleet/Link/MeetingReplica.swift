/// A PoP's copy of a meeting: the state, and where in which Home's history it stands.
public struct MeetingReplica<Body: MeetingBody>: Sendable {
    public private(set) var body = Body()
    /// Whose history it is; nil where there has been none yet.
    public private(set) var home: Home?
    /// Which start of that PoP: one that was started again begins another history, without a Registry with the same epoch.
    public private(set) var instance: UInt64 = 0
    /// The last change that was applied. It rises over epochs, too.
    public private(set) var number: UInt64 = 0
    public private(set) var origins = RequestOrigins()
    /// The last change that was applied may have outdated others.
    private(set) var hasOutdated = false

    public init() {}

    public var revision: Revision? { home.map { Revision(epoch: $0.epoch, number: number) } }

    public enum Outcome: Hashable, Sendable {
        case applied
        /// It is here already.
        case duplicate
        /// Some before it are missing.
        case gap
        /// Its epoch is lower than the copy's.
        case past
        /// Its epoch is higher: the state is needed.
        case future
        /// It cannot be understood.
        case garbled
    }

    /// A change of the Home that this copy follows.
    public mutating func apply(_ revision: Revision, _ origin: RequestOrigin, _ bytes: [UInt8]) -> Outcome {
        guard let home, revision.epoch <= home.epoch else { return .future }
        guard revision.epoch == home.epoch else { return .past }
        guard revision.number > number else { return .duplicate }
        guard revision.number == number + 1 else { return .gap }
        guard let change = Body.Change(bytes: bytes) else { return .garbled }
        body.apply(change)
        hasOutdated = change.outdatesOthers
        origins.insert(origin)
        number = revision.number
        return .applied
    }

    /// The whole state, from `home`. Refused where another that outranks it was followed before, or where it is older than what
    /// is here.
    public mutating func adopt(
        _ home: Home, instance: UInt64, number: UInt64, origins: RequestOrigins, _ bytes: [UInt8]
    ) -> Outcome {
        if let mine = self.home {
            guard !mine.outranks(home) else { return .past }
            if mine == home, instance == self.instance, number < self.number { return .duplicate }
        }
        guard let body = Body(bytes: bytes) else { return .garbled }
        self.body = body
        self.home = home
        self.instance = instance
        self.number = number
        self.origins = origins
        return .applied
    }

    /// Becomes the Home's own copy.
    mutating func lead(_ home: Home, instance: UInt64) {
        self.home = home
        self.instance = instance
    }

    /// At the Home: makes a change.
    mutating func make(_ change: Body.Change, from origin: RequestOrigin) {
        body.apply(change)
        origins.insert(origin)
        number += 1
    }
}

extension Home {
    /// Of two that say that they are a meeting's Home, the one with the higher epoch is. Without a Registry two may have the
    /// same: then the first by name.
    public func outranks(_ other: Home) -> Bool {
        epoch > other.epoch || (epoch == other.epoch && pop < other.pop)
    }
}
