import Foundation

/// The key by which a receiver verifies webhooks: `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0,
/// "Signature scheme").
public struct WebhookSecret: Sendable, Equatable {
    /// How long it may be, bytes.
    public static let lengths = 24...64

    private static let prefix = "whsec_"

    let bytes: [UInt8]

    /// Nil for another form.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let data = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))),
            Self.lengths.contains(data.count)
        else { return nil }
        bytes = Array(data)
    }
}

extension WebhookSecret: CustomStringConvertible {
    /// For logs, in which it has no place.
    public var description: String { "WebhookSecret" }
}
