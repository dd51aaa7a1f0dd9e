/// The bounds of everything that clients can make grow.
public struct Limits: Sendable, Equatable {
    /// Meetings on this node.
    public var meetings: Int
    /// Participants of one meeting; the ceiling of `max_participants`.
    public var participants: Int
    /// Of a webinar, where most only watch; as `participants` where meetings are shared with other PoPs.
    public var webinarParticipants = 3_000
    /// Characters.
    public var displayName = 64
    /// Characters.
    public var topic = 200
    /// Characters.
    public var password = 64
    /// Characters of a chat's message.
    public var chatMessage = 2_000
    /// Places of a meeting beside `max_participants`, which only hosts take: a full meeting keeps no host out, nor one who
    /// comes back while the place that was lost is still kept.
    public var hostPlaces = 2
    /// Who may wait to be let into one meeting; 0: there are no waiting rooms.
    public var waitingRoom = 100
    /// How long a participant may take from `join` to its socket.
    public var connectTime: Duration
    /// How long a participant with a lost socket is kept.
    public var resumeTime: Duration
    /// How long an instant meeting without anybody is kept.
    public var emptyTime: Duration

    public init(
        meetings: Int = 10_000, participants: Int = 1_000, connectTime: Duration = .seconds(15),
        resumeTime: Duration = .seconds(15), emptyTime: Duration = .seconds(3_600)
    ) {
        self.meetings = meetings
        self.participants = participants
        self.connectTime = connectTime
        self.resumeTime = resumeTime
        self.emptyTime = emptyTime
    }

    /// `text` without the white space around it.
    ///
    /// - Throws: `invalid` where nothing is left, or nothing that is seen, it is longer than `maximum` characters (or four times
    ///   as many bytes: combining marks count too), or it holds control characters.
    static func line(_ text: String, field: String, maximum: Int) throws(MeetingError) -> String {
        var line = Substring(text)
        while line.first?.isWhitespace == true { line.removeFirst() }
        while line.last?.isWhitespace == true { line.removeLast() }
        guard !line.isEmpty else { throw .invalid(field: field, reason: "must not be empty") }
        guard line.utf8.count <= maximum * 4, line.count <= maximum else {
            throw .invalid(field: field, reason: "at most \(maximum) characters")
        }
        guard line.unicodeScalars.allSatisfy(isPrintable) else {
            throw .invalid(field: field, reason: "must not hold control characters")
        }
        guard line.unicodeScalars.contains(where: isVisible) else {
            throw .invalid(field: field, reason: "must hold something that is seen")
        }
        return String(line)
    }

    /// The text of a chat's message, in lines, without the white space around it.
    ///
    /// - Throws: `invalid` as `line` does; line breaks and tabs are no control characters here.
    func chatText(_ text: String) throws(MeetingError) -> String {
        // White space around it, and line breaks of two characters, may be as much again.
        guard text.utf8.count <= chatMessage * 8 else {
            throw .invalid(field: "text", reason: "at most \(chatMessage) characters")
        }
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.joined(separator: "\n")
        var rest = Substring(lines)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        // What is left must be a line but for its breaks.
        let flat = String(rest.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        _ = try Self.line(flat, field: "text", maximum: chatMessage)
        return String(rest)
    }

    /// What a host tells all breakout rooms, in one line.
    ///
    /// - Throws: `invalid`, as `line`.
    public static func notice(_ text: String) throws(MeetingError) -> String {
        try line(text, field: "text", maximum: Breakouts.mostOfNotice)
    }

    /// Leaves ink, alone or with others: letters, digits, signs, punctuation.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Braille without dots.
        case 0x2800: false
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
                .paragraphSeparator, .nonspacingMark, .enclosingMark, .spacingMark:
                false
            // Fillers of Hangul are letters that nobody sees.
            default: !scalar.properties.isDefaultIgnorableCodePoint
            }
        }
    }

    /// Controls, and the marks that turn the direction of the text around them.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x202a...0x202e, 0x2066...0x2069: false
        default: ![.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
        }
    }
}
