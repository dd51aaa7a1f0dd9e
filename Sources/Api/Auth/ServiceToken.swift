/// What a service may do (documentation, REST): the `meeting` claim, as a list of words or as an
/// object of booleans.
struct Grants: Codable, Sendable, Equatable {
    static let create = "create"
    static let host = "host"
    static let admin = "admin"

    var words: Set<String>

    init(_ words: Set<String>) { self.words = words }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let list = try? container.decode([String].self) {
            words = Set(list)
        } else {
            words = Set(try container.decode([String: Bool].self).filter(\.value).keys)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(words.sorted())
    }

    func has(_ word: String) -> Bool { words.contains(word) || words.contains(Self.admin) }
}

/// The token of a service call, signed with one of the configured API keys. `TokenAuthority` checks its times.
struct ServiceToken: Codable, Sendable, Equatable {
    /// The key's identifier.
    var iss: String
    /// The user for whom the service calls.
    var sub: String
    /// Seconds since 1970.
    var exp: Double
    /// Seconds since 1970; not valid before.
    var nbf: Double?
    var meeting: Grants?

    func grants(_ word: String) -> Bool { meeting?.has(word) ?? false }
}

/// The token that a join answers: opens the signaling socket and lets its bearer leave.
struct SessionToken: Codable, Sendable, Equatable {
    static let audience = "needletail-session"

    var aud: String
    /// The participant.
    var sub: String
    /// The meeting.
    var meeting: String
    var role: String
    /// Seconds since 1970; until when it may open the first socket.
    var exp: Double
}
