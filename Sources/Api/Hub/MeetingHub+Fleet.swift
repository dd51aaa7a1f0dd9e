import Fleet
import Meetings

/// How meetings of a fleet are found.
extension MeetingHub {
    /// How often a number is drawn anew.
    private static let numberDraws = 8

    /// One that is here.
    func findHere(_ reference: String) throws -> Meeting { try catalog.find(reference) }

    /// The meeting that people name by its identifier or its number.
    ///
    /// - Parameter via: the PoPs that sent the client here.
    /// - Throws: 404 `meeting_not_found`; `Problem` 307 `elsewhere` where another PoP has it, 503 `registry_unavailable`.
    func find(_ reference: String, via: [PoPName] = []) async throws -> Meeting {
        do {
            return try catalog.find(reference)
        } catch {
            guard let fleet else { throw error }
            throw await fleet.absence(of: reference, via: via)
        }
    }

    /// The number of each meeting.
    var numbers: [MeetingID: MeetingNumber] { catalog.meetings.mapValues(\.number) }

    /// Makes a new meeting known to the fleet, under a number that no other meeting has.
    func claimed(_ meeting: Meeting) async throws -> Meeting {
        guard let fleet else { return meeting }
        var meeting = meeting
        for _ in 0..<Self.numberDraws {
            guard await fleet.claim(meeting.id, number: meeting.number) == .numberTaken else { break }
            meeting = try catalog.renumber(meeting.id, using: &generator)
        }
        return try catalog.find(meeting.id.rawValue)
    }
}
