import Meetings

/// The PoP at which a meeting's changes are made and numbered.
public struct Home: Hashable, Sendable {
    public let pop: PoPName
    /// The fencing epoch: each new Home of a meeting has a higher one, and what an older one says is not taken.
    public let epoch: UInt64

    public init(pop: PoPName, epoch: UInt64) {
        self.pop = pop
        self.epoch = epoch
    }

    /// The epochs that there can be: Redis's scripts count in doubles, which are exact up to 2^53.
    public static let epochs: ClosedRange<UInt64> = 1...((1 << 48) - 1)
}

/// A meeting as the Registry knows it.
public struct Registration: Hashable, Sendable {
    public let meeting: MeetingID
    public let number: MeetingNumber
    public let home: Home

    public init(meeting: MeetingID, number: MeetingNumber, home: Home) {
        self.meeting = meeting
        self.number = number
        self.home = home
    }
}

/// A meeting of which its Home says that it is still its Home.
public struct Lease: Hashable, Sendable {
    public let meeting: MeetingID
    public let number: MeetingNumber
    public let epoch: UInt64

    public init(meeting: MeetingID, number: MeetingNumber, epoch: UInt64) {
        self.meeting = meeting
        self.number = number
        self.epoch = epoch
    }
}

/// What became of a claim or a take-over.
public enum ClaimOutcome: Hashable, Sendable {
    /// The caller is the Home, with this epoch.
    case granted(epoch: UInt64)
    /// Another is.
    case held(by: Home)
    /// Another meeting that is alive has the number.
    case numberTaken(by: MeetingID)
}

/// What of a batch was not renewed.
public struct RenewalOutcome: Hashable, Sendable {
    /// Another became the meeting's Home, with an epoch that is not lower.
    public var lost: [MeetingID: Home] = [:]
    /// The meeting was renewed, but its number leads to another that is alive.
    public var numbersLost: [MeetingID: MeetingID] = [:]

    public init() {}
}
