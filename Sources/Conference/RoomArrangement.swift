import Meetings

/// Where the people of a meeting with breakout rooms are, as the media side was told.
struct RoomArrangement {
    /// Of the call that told it.
    var number: UInt64
    /// The others are in the main room.
    var places: [ParticipantID: BreakoutRoomID]
    /// Whose microphone is heard in all rooms.
    var voice: ParticipantID?
}
