import Foundation
import Testing

@testable import Api

/// The JSON Schema of the signaling socket, held against what the server says. It reads as much of JSON Schema 2020-12 as
/// that file uses.
struct SignalingSchema: Sendable {
    static let shared = SignalingSchema(Descriptions.text("signaling.schema.json"))

    /// The bodies of webhooks.
    static let webhooks = SignalingSchema(Descriptions.text("webhooks.schema.json"))

    private let definitions: [String: Value]

    init(_ text: Data?) {
        let root = text.flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
        guard case .object(let definitions) = root?["$defs"] else {
            self.definitions = [:]
            return
        }
        self.definitions = definitions
    }

    /// What is wrong with a message of the server; nil when it is as described.
    func complaint(aboutServer message: Value) -> String? {
        guard let type = message["type"]?.string, let schema = definitions["server_\(type)"] else {
            return "no message of the server: \(message)"
        }
        return complaint(message, schema, at: type)
    }

    /// What is wrong with a webhook's body.
    func complaint(aboutEvent body: Value) -> String? {
        guard let type = body["type"]?.string, let schema = definitions[type] else { return "no event: \(body)" }
        return complaint(body, schema, at: type)
    }

    private func complaint(_ value: Value, _ schema: Value, at place: String) -> String? {
        if let reference = schema["$ref"]?.string {
            guard let target = definitions[String(reference.dropFirst("#/$defs/".count))] else {
                return "\(place): there is no \(reference)"
            }
            return complaint(value, target, at: place)
        }
        if case .list(let choices) = schema["anyOf"] {
            return choices.contains { complaint(value, $0, at: place) == nil }
                ? nil : "\(place): none of anyOf: \(value)"
        }
        if let constant = schema["const"], constant != value { return "\(place): not \(constant): \(value)" }
        if case .list(let allowed) = schema["enum"], !allowed.contains(value) { return "\(place): unknown \(value)" }
        if let type = schema["type"], !Self.isKind(value, type) { return "\(place): not \(type): \(value)" }
        if case .list(let elements) = value, let items = schema["items"] {
            return elements.lazy.compactMap { complaint($0, items, at: "\(place)[]") }.first
        }
        if case .object(let members) = value { return complaint(members, schema, at: place) }
        return nil
    }

    private func complaint(_ members: [String: Value], _ schema: Value, at place: String) -> String? {
        guard case .object(let properties) = schema["properties"] else { return nil }
        if case .list(let required) = schema["required"] {
            for name in required.compactMap(\.string) where members[name] == nil { return "\(place): no \(name)" }
        }
        for (name, member) in members {
            guard let property = properties[name] else {
                if schema["additionalProperties"] == false { return "\(place): \(name) is not described" }
                continue
            }
            if let found = complaint(member, property, at: "\(place).\(name)") { return found }
        }
        return nil
    }

    private static func isKind(_ value: Value, _ type: Value) -> Bool {
        if case .list(let types) = type { return types.contains { isKind(value, $0) } }
        return switch (value, type.string) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.list, "array"),
            (.object, "object"):
            true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}

@Suite struct SignalingSchemaTests {
    @Test(
        arguments: [
            ["type": "greeting"], ["type": "ok"], ["type": "ok", "id": true], ["type": "pong", "id": 1, "more": 1],
            ["type": "participant_left", "participant_id": "p_1", "reason": "bored"],
            ["type": "slots", "slots": [["mid": "3", "source": "audio"]]],
            ["type": "slots", "slots": [["mid": "3", "participant_id": 4, "source": "audio"]]],
            ["type": "slot_paused"], ["type": "layers_wanted", "rids": ["q"]],
            ["type": "layers_wanted", "mid": "1", "rids": "q"],
        ] as [Value])
    func whatIsNotDescribedIsFound(_ message: Value) {
        #expect(SignalingSchema.shared.complaint(aboutServer: message) != nil)
    }

    @Test(
        arguments: [
            ["type": "ok", "id": "a"], ["type": "pong"],
            ["type": "slots", "slots": [["mid": "3", "participant_id": nil, "source": "audio"]]],
            [
                "type": "slot_switched", "mid": "3", "participant_id": "p_1", "source": "video", "layer": 2,
                "rtp_timestamp": 90_000,
            ],
            ["type": "slot_paused", "mid": "3"], ["type": "layers_wanted", "mid": "1", "rids": ["q"]],
            ["type": "layers_wanted", "mid": "1", "wanted": false],
        ] as [Value])
    func whatIsDescribedPasses(_ message: Value) {
        #expect(SignalingSchema.shared.complaint(aboutServer: message) == nil)
    }
}
