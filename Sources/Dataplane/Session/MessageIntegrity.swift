import COpenSSL

/// HMAC-SHA1 with a key hashed once in advance (RFC 2104), for STUN's MESSAGE-INTEGRITY (RFC 8489 section 14.5).
struct MessageIntegrity: BitwiseCopyable, Sendable {
    /// Bytes of the attribute's value.
    static let length = 20
    private static let attributeHeaderLength = 4
    private static let messageHeaderLength = 20

    /// SHA-1 states after the key with the inner and the outer pad.
    private let inner: State
    private let outer: State

    /// `key`: the ICE password, or the MD5 of a TURN long-term credential.
    init(key: UnsafeRawBufferPointer) {
        var block = InlineArray<64, UInt8>(repeating: 0)
        if key.count > 64 {
            // RFC 2104 section 2: a longer key is hashed first.
            var context = SHA_CTX()
            needletail_sha1_init(&context)
            needletail_sha1_update(&context, key.baseAddress, key.count)
            withUnsafeMutableBytes(of: &block) { needletail_sha1_final($0.baseAddress, &context) }
        } else {
            for index in 0..<key.count { block[index] = key[index] }
        }
        inner = State(block: block, pad: 0x36)
        outer = State(block: block, pad: 0x5C)
        OPENSSL_cleanse(&block, 64)
    }

    /// The HMAC over a STUN message up to its MESSAGE-INTEGRITY attribute. `message` begins with the 20 bytes of
    /// header, `covered` is the attribute's offset (at least 20); the length field is taken as if the message ended
    /// with the attribute.
    func digest(message: UnsafePointer<UInt8>, covered: Int) -> InlineArray<20, UInt8> {
        let length = UInt16(
            truncatingIfNeeded: covered &- Self.messageHeaderLength &+ Self.attributeHeaderLength &+ Self.length)
        // Type and replaced length: the first 4 bytes.
        var start = (message[0], message[1], UInt8(truncatingIfNeeded: length &>> 8), UInt8(truncatingIfNeeded: length))
        var context = inner.context
        needletail_sha1_update(&context, &start, 4)
        needletail_sha1_update(&context, message + 4, covered &- 4)
        return finish(&context)
    }

    /// HMAC over any bytes.
    func digest(of bytes: UnsafeRawBufferPointer) -> InlineArray<20, UInt8> {
        var context = inner.context
        needletail_sha1_update(&context, bytes.baseAddress, bytes.count)
        return finish(&context)
    }

    /// Compares with the attribute's value at `message + covered + 4` in constant time. The caller's view has proved
    /// that the message is as long as that.
    func verify(message: UnsafePointer<UInt8>, covered: Int) -> Bool {
        var expected = digest(message: message, covered: covered)
        return withUnsafeBytes(of: &expected) { expected in
            CRYPTO_memcmp(expected.baseAddress, message + covered + Self.attributeHeaderLength, Self.length) == 0
        }
    }

    private func finish(_ context: inout SHA_CTX) -> InlineArray<20, UInt8> {
        var result = InlineArray<20, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &result) { needletail_sha1_final($0.baseAddress, &context) }
        context = outer.context
        withUnsafeBytes(of: &result) { needletail_sha1_update(&context, $0.baseAddress, 20) }
        withUnsafeMutableBytes(of: &result) { needletail_sha1_final($0.baseAddress, &context) }
        return result
    }
}

extension MessageIntegrity {
    /// SHA-1 after exactly one block.
    private struct State: BitwiseCopyable, Sendable {
        private let words: (UInt32, UInt32, UInt32, UInt32, UInt32)

        init(block: InlineArray<64, UInt8>, pad: UInt8) {
            var block = block
            for index in 0..<64 { block[index] ^= pad }
            var context = SHA_CTX()
            needletail_sha1_init(&context)
            withUnsafeBytes(of: &block) { needletail_sha1_update(&context, $0.baseAddress, 64) }
            words = (context.h0, context.h1, context.h2, context.h3, context.h4)
            OPENSSL_cleanse(&block, 64)
        }

        var context: SHA_CTX {
            var context = SHA_CTX()
            (context.h0, context.h1, context.h2, context.h3, context.h4) = words
            // Bits hashed so far.
            context.Nl = 512
            return context
        }
    }
}
