/// How a long-term credential becomes a key (RFC 8489 section 18.5). Raw values are PASSWORD-ALGORITHM's numbers.
public enum TURNPasswordAlgorithm: UInt16, Sendable {
    case md5 = 0x0001
    case sha256 = 0x0002
}

/// The key of a long-term credential: what MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 are keyed with.
public struct TURNKey: Sendable, Equatable {
    /// 16 bytes after MD5, 32 after SHA-256.
    public let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The digest of `username:realm:password` (RFC 8489 sections 9.2.2 and 18.5.1). The texts are taken as they
    /// are: who hands out credentials has them in their OpaqueString form (RFC 8265) already.
    public init(
        username: some Sequence<UInt8>, realm: String, password: String, algorithm: TURNPasswordAlgorithm = .md5
    ) {
        var text = Array(username)
        text.append(UInt8(ascii: ":"))
        text += realm.utf8
        text.append(UInt8(ascii: ":"))
        text += password.utf8
        bytes = Hash.digest(text, algorithm == .md5 ? .md5 : .sha256)
    }
}
