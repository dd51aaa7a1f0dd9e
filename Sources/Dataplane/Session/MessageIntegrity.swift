/// HMAC-SHA1 with a key hashed once in advance (RFC 2104), for STUN's MESSAGE-INTEGRITY (RFC 8489 section 14.5).
struct MessageIntegrity: BitwiseCopyable {
    /// Bytes of the attribute's value.
    static let length = 20

    /// `key`: the ICE password, or the MD5 of a TURN long-term credential.
    init(key: UnsafeRawBufferPointer) { fatalError() }

    /// The HMAC over a STUN message up to its MESSAGE-INTEGRITY attribute. `message` begins with the 20 bytes of
    /// header, `covered` is the attribute's offset; the length field is taken as if the message ended with the attribute.
    func digest(message: UnsafePointer<UInt8>, covered: Int) -> InlineArray<20, UInt8> { fatalError() }

    /// Compares with the attribute's value at `message + covered + 4` in constant time. The caller's view has proved
    /// that the message is as long as that.
    func verify(message: UnsafePointer<UInt8>, covered: Int) -> Bool { fatalError() }
}
