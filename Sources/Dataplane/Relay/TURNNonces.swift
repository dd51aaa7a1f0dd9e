import COpenSSL
import Wire

/// Stateless nonces: the cookie of RFC 8489 section 9.2 that says which security features we have (password
/// algorithms), the time, and an HMAC of time and client address under a secret of this start.
struct TURNNonces: BitwiseCopyable {
    /// Characters.
    static let length = 37
    /// "obMatJos2" and the first of 24 feature bits in base64.
    private static let cookieLength = 13

    private let key: MessageIntegrity
    /// Seconds.
    private let lifetime: UInt32

    init(key: MessageIntegrity, lifetime: UInt32) {
        self.key = key
        self.lifetime = lifetime
    }

    /// Writes a nonce for the client at `address`.
    func write(to memory: UnsafeMutableRawPointer, address: IPAddress, now: UInt64) {
        let cookie: StaticString = "obMatJos2gAAA"
        memory.copyMemory(from: cookie.utf8Start, byteCount: Self.cookieLength)
        let seconds = Self.seconds(now)
        HexText.write(UInt64(seconds), digits: 8, to: memory + Self.cookieLength)
        HexText.write(tag(seconds, address), digits: 16, to: memory + Self.cookieLength + 8)
    }

    /// Whether it is ours, of this client's address, and young enough.
    func isValid(_ nonce: UnsafeRawBufferPointer, address: IPAddress, now: UInt64) -> Bool {
        guard nonce.count == Self.length, let base = nonce.baseAddress else { return false }
        guard let number = HexText.read(base + Self.cookieLength, digits: 8) else { return false }
        let seconds = UInt32(truncatingIfNeeded: number)
        guard Self.seconds(now) &- seconds <= lifetime else { return false }
        // Written anew and compared whole, so that there is one form only.
        var expected = InlineArray<37, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &expected) { expected in
            let memory = expected.baseAddress.unsafelyUnwrapped
            write(to: memory, address: address, now: UInt64(seconds) &* 1_000_000_000)
            return CRYPTO_memcmp(memory, base, Self.length) == 0
        }
    }

    private static func seconds(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now / 1_000_000_000) }

    private func tag(_ seconds: UInt32, _ address: IPAddress) -> UInt64 {
        var input = (UInt64(seconds), address.high, address.low)
        let digest = withUnsafeBytes(of: &input) { key.digest(of: $0) }
        var tag: UInt64 = 0
        for index in 0..<8 { tag = tag << 8 | UInt64(digest[index]) }
        return tag
    }
}
