import COpenSSL

/// HMAC-SHA256 with a key hashed once in advance (RFC 2104), for STUN's MESSAGE-INTEGRITY-SHA256 (RFC 8489
/// section 14.6). Keys here have at most 64 bytes.
struct MessageIntegritySHA256: BitwiseCopyable, Sendable {
    /// Bytes of the attribute's value, which may not be shortened in TURN.
    static let length = 32
    private static let headerLength = 20
    private static let attributeHeaderLength = 4

    /// SHA-256 states after the key with the inner and the outer pad.
    private let inner: State
    private let outer: State

    init(key: UnsafeRawBufferPointer) {
        var block = InlineArray<64, UInt8>(repeating: 0)
        for index in 0..<min(key.count, 64) { block[index] = key[index] }
        inner = State(block: block, pad: 0x36)
        outer = State(block: block, pad: 0x5C)
        OPENSSL_cleanse(&block, 64)
    }

    /// The HMAC over a STUN message up to the attribute. `message` begins with the 20 bytes of header, `covered` is the
    /// attribute's offset (at least 20); the length field is taken as if the message ended with the attribute.
    func digest(message: UnsafePointer<UInt8>, covered: Int) -> InlineArray<32, UInt8> {
        let length = UInt16(
            truncatingIfNeeded: covered &- Self.headerLength &+ Self.attributeHeaderLength &+ Self.length)
        // Type and replaced length: the first 4 bytes.
        var start = (message[0], message[1], UInt8(truncatingIfNeeded: length &>> 8), UInt8(truncatingIfNeeded: length))
        var context = inner.context
        needletail_sha256_update(&context, &start, 4)
        needletail_sha256_update(&context, message + 4, covered &- 4)
        var result = InlineArray<32, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &result) { needletail_sha256_final($0.baseAddress, &context) }
        context = outer.context
        withUnsafeBytes(of: &result) { needletail_sha256_update(&context, $0.baseAddress, 32) }
        withUnsafeMutableBytes(of: &result) { needletail_sha256_final($0.baseAddress, &context) }
        return result
    }

    /// Compares with the attribute's value at `message + covered + 4`, 32 bytes, in constant time.
    func verify(message: UnsafePointer<UInt8>, covered: Int) -> Bool {
        var expected = digest(message: message, covered: covered)
        return withUnsafeBytes(of: &expected) { expected in
            CRYPTO_memcmp(expected.baseAddress, message + covered + Self.attributeHeaderLength, Self.length) == 0
        }
    }
}

extension MessageIntegritySHA256 {
    /// SHA-256 after exactly one block.
    private struct State: BitwiseCopyable, Sendable {
        private let words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

        init(block: InlineArray<64, UInt8>, pad: UInt8) {
            var block = block
            for index in 0..<64 { block[index] ^= pad }
            var context = SHA256_CTX()
            needletail_sha256_init(&context)
            withUnsafeBytes(of: &block) { needletail_sha256_update(&context, $0.baseAddress, 64) }
            words = context.h
            OPENSSL_cleanse(&block, 64)
        }

        var context: SHA256_CTX {
            var context = SHA256_CTX()
            needletail_sha256_init(&context)
            context.h = words
            // Bits hashed so far.
            context.Nl = 512
            return context
        }
    }
}
