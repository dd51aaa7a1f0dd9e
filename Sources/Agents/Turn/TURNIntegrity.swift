import COpenSSL
import Wire

/// The integrity attributes of a request and what long-term authentication reads of it. Attributes behind
/// MESSAGE-INTEGRITY do not count (RFC 8489 section 14.5).
struct TURNCredentialAttributes {
    private(set) var username: UnsafeRawBufferPointer?
    private(set) var realm: UnsafeRawBufferPointer?
    private(set) var nonce: UnsafeRawBufferPointer?
    private(set) var hasUserhash = false
    /// PASSWORD-ALGORITHM, its parameters included.
    private(set) var algorithm: UnsafeRawBufferPointer?
    private(set) var algorithms: UnsafeRawBufferPointer?
    private(set) var integrity: STUNAttribute?
    private(set) var integritySHA256: STUNAttribute?

    /// PASSWORD-ALGORITHMS (RFC 8489 section 18.3).
    private static let passwordAlgorithms: UInt16 = 0x8002

    init(_ message: STUNMessage) {
        for attribute in message.attributes {
            let isCovered = integrity == nil && integritySHA256 == nil
            switch attribute.type {
            case STUNAttributeType.messageIntegrity where isCovered: integrity = attribute
            case STUNAttributeType.messageIntegritySHA256 where integritySHA256 == nil: integritySHA256 = attribute
            case _ where !isCovered: break
            // The first of several counts (section 14).
            case STUNAttributeType.username: username = username ?? attribute.value
            case STUNAttributeType.realm: realm = realm ?? attribute.value
            case STUNAttributeType.nonce: nonce = nonce ?? attribute.value
            case STUNAttributeType.userhash: hasUserhash = true
            case STUNAttributeType.passwordAlgorithm: algorithm = algorithm ?? attribute.value
            case Self.passwordAlgorithms: algorithms = algorithms ?? attribute.value
            default: break
            }
        }
    }
}

/// Computes and compares what MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 carry.
enum TURNIntegrity {
    /// Whether the attribute is the HMAC of `message` under `key`; compares in constant time.
    ///
    /// A shortened HMAC-SHA256 is refused: TURN does not allow it (RFC 8489 section 14.6).
    static func isValid(_ attribute: STUNAttribute, of message: STUNMessage, key: TURNKey) -> Bool {
        let isSHA256 = attribute.type == STUNAttributeType.messageIntegritySHA256
        let length = isSHA256 ? 32 : 20
        guard attribute.value.count == length else { return false }
        var covered = Array(message.bytes.prefix(attribute.offset))
        // The header's length as if the message ended with this attribute.
        let end = attribute.offset + 4 + length - STUNMessage.headerLength
        covered[2] = UInt8(truncatingIfNeeded: end >> 8)
        covered[3] = UInt8(truncatingIfNeeded: end)
        let expected = covered.withUnsafeBytes {
            Hash.hmac($0, key: key.bytes, isSHA256 ? .sha256 : .sha1)
        }
        return CRYPTO_memcmp(expected, attribute.value.baseAddress, length) == 0
    }
}
