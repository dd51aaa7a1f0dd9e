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
            guard sharing != nil, drain.acceptsNewcomers else { throw await fleet.absence(of: reference, via: via) }
            guard let registration = try await fleet.registration(of: reference) else { throw error }
            return try await takePart(in: registration.meeting, number: registration.number)
        }
    }

    /// The number of each meeting.
    var numbers: [MeetingID: MeetingNumber] { catalog.meetings.mapValues(\.number) }

    /// Makes a new meeting known to the fleet, under a number that no other meeting has.
    ///
    /// - Returns: the meeting, and the epoch of this PoP as its Home.
    func claimed(_ meeting: Meeting) async throws -> (Meeting, epoch: UInt64) {
        guard let fleet else { return (meeting, Home.epochs.lowerBound) }
        var meeting = meeting
        // Nobody else can be Home of a meeting that was made just now.
        var epoch = Home.epochs.lowerBound
        for _ in 0..<Self.numberDraws {
            switch await fleet.claim(meeting.id, number: meeting.number) {
            case .numberTaken:
                meeting = try catalog.renumber(meeting.id, using: &generator)
                continue
            case .granted(let granted): epoch = granted
            case .later: break
            }
            break
        }
        return (try catalog.find(meeting.id.rawValue), epoch)
    }
}
