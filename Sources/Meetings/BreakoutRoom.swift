/// Names a breakout room of a meeting. Its number is no other room's of that meeting; two sides of a partition take theirs at
/// random.
public struct BreakoutRoomID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let number: UInt32

    public init(number: UInt32) { self.number = number }

    /// Nil unless `text` is `r` and a number from 1 on.
    public init?(_ text: String) {
        guard text.utf8.count <= 11, text.first == "r", let number = UInt32(text.dropFirst()), number > 0,
            text == "r\(number)"
        else { return nil }
        self.number = number
    }

    public var rawValue: String { "r\(number)" }
    public var description: String { rawValue }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A room beside the main one, for some of a meeting's participants.
public struct BreakoutRoom: Hashable, Sendable, Codable {
    public let id: BreakoutRoomID
    public let name: String

    public init(id: BreakoutRoomID, name: String) {
        self.id = id
        self.name = name
    }
}

/// The people of a meeting who see and hear each other: those in one breakout room, or all in none.
public struct MeetingRoom: Hashable, Sendable {
    public let meeting: MeetingID
    /// Nil: the main room.
    public let breakout: BreakoutRoomID?

    public init(_ meeting: MeetingID, _ breakout: BreakoutRoomID? = nil) {
        self.meeting = meeting
        self.breakout = breakout
    }
}

extension MeetingRoom: Comparable {
    /// The main room first.
    public static func < (left: Self, right: Self) -> Bool {
        (left.meeting.rawValue, left.breakout?.number ?? 0) < (right.meeting.rawValue, right.breakout?.number ?? 0)
    }
}
