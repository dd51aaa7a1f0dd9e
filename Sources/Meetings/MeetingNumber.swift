/// What people type and say: nine digits, the first not zero, shown as `123-456-789`.
public struct MeetingNumber: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt32

    /// Nil unless `text` holds exactly nine digits; hyphens and spaces between them are ignored.
    public init?(_ text: String) {
        guard text.utf8.count <= 32 else { return nil }
        var value: UInt32 = 0
        var digits = 0
        for byte in text.utf8 where byte != 0x2d && byte != 0x20 {
            guard (0x30...0x39).contains(byte), digits < 9 else { return nil }
            value = value * 10 + UInt32(byte - 0x30)
            digits += 1
        }
        guard digits == 9, value >= 100_000_000 else { return nil }
        self.value = value
    }

    public init(using generator: inout some RandomNumberGenerator) {
        value = UInt32.random(in: 100_000_000...999_999_999, using: &generator)
    }

    public var description: String {
        let digits = String(value)
        return "\(digits.prefix(3))-\(digits.dropFirst(3).prefix(3))-\(digits.suffix(3))"
    }
}
