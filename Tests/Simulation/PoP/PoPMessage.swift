import Foundation

/// What the server said on a socket, as a client reads it.
struct PoPMessage: Decodable {
    struct Person: Decodable {
        var participantId: String
        var audio: Bool
        var video: Bool
        var screen: Bool
    }

    struct Slot: Decodable {
        var mid: String
        var participantId: String?
        var source: String
    }

    struct You: Decodable {
        var participantId: String
    }

    /// In `joined` the people, in `active_speaker` their identifiers.
    enum Entry: Decodable {
        case person(Person)
        case name(String)

        init(from decoder: any Decoder) throws {
            if let name = try? decoder.singleValueContainer().decode(String.self) {
                self = .name(name)
            } else {
                self = .person(try Person(from: decoder))
            }
        }
    }

    var type: String
    var id: Int?
    var code: String?
    var you: You?
    var resume: String?
    var resumed: Bool?
    var sessionToken: String?
    var sdp: String?
    var slots: [Slot]?
    var participants: [Entry]?
    var participant: Person?
    var participantId: String?
    var mid: String?
    var audio: Bool?
    var video: Bool?
    var screen: Bool?
    var rids: [String]?
    var wanted: Bool?
}

extension PoPMessage {
    init(_ bytes: some Sequence<UInt8>) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(PoPMessage.self, from: Data(bytes))
    }
}
