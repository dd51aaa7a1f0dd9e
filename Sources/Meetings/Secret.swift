/// A password kept as salt and digest. The key derivation is an argument: this module has none.
public struct PasswordHash: Hashable, Sendable, Codable {
    /// Derives a digest from a password and a salt; slow on purpose.
    public typealias Derivation = (_ password: String, _ salt: [UInt8]) -> [UInt8]

    public let salt: [UInt8]
    public let digest: [UInt8]

    public init(_ password: String, salt: [UInt8], by derive: Derivation) {
        self.salt = salt
        digest = derive(password, salt)
    }

    /// One that was made before.
    public init(salt: [UInt8], digest: [UInt8]) {
        self.salt = salt
        self.digest = digest
    }

    public func matches(_ password: String, by derive: Derivation) -> Bool {
        Secret.equal(derive(password, salt), digest)
    }
}

/// Keys that clients present.
public enum Secret {
    /// A fresh key of 5 bits a character.
    public static func random(length: Int, using generator: inout some RandomNumberGenerator) -> String {
        Identifier.random(length: length, using: &generator)
    }

    /// A fresh key from the system's generator.
    public static func random(length: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return random(length: length, using: &generator)
    }

    /// Compares without telling by its time where the difference is.
    public static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
