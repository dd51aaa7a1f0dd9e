import Agents
import Foundation
import Meetings

/// What goes with a webhook beside its body (Standard Webhooks 1.0.0, "Webhook metadata").
public struct WebhookSignature: Sendable, Equatable {
    /// The same for all attempts.
    public let id: String
    /// Of this attempt, seconds since 1970.
    public let timestamp: Int64
    /// One for each secret, so that a receiver may have either while they are changed.
    public let signatures: [String]

    /// Signs `body`, byte for byte as it will be sent.
    public init(id: String, body: String, at now: Timestamp, by secrets: [WebhookSecret]) {
        self.id = id
        let seconds = now.milliseconds / 1_000
        timestamp = seconds
        let content = Array("\(id).\(seconds).\(body)".utf8)
        signatures = secrets.map { secret in
            let code = content.withUnsafeBytes { Hash.hmac($0, key: secret.bytes, .sha256) }
            return "v1,\(Data(code).base64EncodedString())"
        }
    }

    /// Names and values of the header fields.
    public var fields: [(name: String, value: String)] {
        [
            ("webhook-id", id), ("webhook-timestamp", "\(timestamp)"),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }
}
