import Meetings

/// Where people sit, as far as they hear different things: in a webinar not all know of each other.
struct Seats: OptionSet, Hashable {
    let rawValue: UInt8

    static let hosts = Seats(rawValue: 1)
    /// Panelists, and the participants of other meetings.
    static let panel = Seats(rawValue: 2)
    static let attendees = Seats(rawValue: 4)
    static let all: Seats = [.hosts, .panel, .attendees]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The seat of somebody in this role.
    init(_ role: Role) {
        self =
            switch role {
            case .host, .coHost: .hosts
            case .participant, .panelist: .panel
            case .attendee: .attendees
            }
    }
}
