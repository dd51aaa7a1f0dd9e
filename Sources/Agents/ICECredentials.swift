/// The short-term credentials of ICE (RFC 8445 section 5.3).
public enum ICECredentials {
    /// Characters of our passwords: 144 random bits, where 128 are required.
    public static let passwordLength = 24

    /// A password of 24 ice-chars (RFC 8839 section 5.4). `generator` must be a cryptographic one in production.
    public static func makePassword(using generator: inout some RandomNumberGenerator) -> String {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bytes = (0..<passwordLength).map { _ in characters[Int(generator.next(upperBound: 64 as UInt64))] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `text` consists of `allowed` many ice-chars.
    static func isValid(_ text: some StringProtocol, length allowed: ClosedRange<Int>) -> Bool {
        allowed.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2f: true
                default: false
                }
            }
    }
}
