/// Identifiers as PoPs of a fleet tell them to each other: their text, checked.
extension MeetingID: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { MeetingID($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(rawValue) }
}

extension ParticipantID: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { ParticipantID($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(rawValue) }
}

extension ChatMessageID: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { ChatMessageID($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(rawValue) }
}

extension PollID: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { PollID($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(rawValue) }
}

extension QuestionID: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { QuestionID($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(rawValue) }
}

extension MeetingNumber: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.checked { MeetingNumber($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.put(description) }
}

extension Decoder {
    /// A text that has the form of a value.
    fileprivate func checked<Value>(_ make: (String) -> Value?) throws -> Value {
        let container = try singleValueContainer()
        guard let value = make(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not of this form")
        }
        return value
    }
}

extension Encoder {
    fileprivate func put(_ text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}
