/// Names a PoP in its fleet: 1 to 64 of `A-Z a-z 0-9 - _ .`.
public struct PoPName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `text` has the form of a name.
    public init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        rawValue = text
    }

    public var description: String { rawValue }

    public static func < (left: PoPName, right: PoPName) -> Bool { left.rawValue < right.rawValue }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
        }
    }
}

/// One life of a PoP, from its start to its end: a PoP that was started again is not the Home that it was before.
public struct PoPInstance: Hashable, Sendable {
    public let name: PoPName
    /// Drawn at the start.
    public let instance: UInt64

    public init(name: PoPName, instance: UInt64) {
        self.name = name
        self.instance = instance
    }

    public init(name: PoPName, using generator: inout some RandomNumberGenerator) {
        self.init(name: name, instance: .random(in: .min ... .max, using: &generator))
    }
}
