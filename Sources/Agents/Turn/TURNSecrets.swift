import Synchronization

/// Time-limited TURN credentials that are computed and never stored: the user name is `<expiry>:<user>`, expiry in
/// seconds since 1970, and the password the base64 HMAC-SHA1 of it (draft-uberti-behave-turn-rest-00 section 2.2).
public final class TURNSecrets: Sendable {
    /// The first signs what is issued; all of them verify, so that a secret can be taken out of use slowly.
    private let secrets: Mutex<[[UInt8]]>

    public init(_ secrets: [String]) { self.secrets = Mutex(secrets.map { Array($0.utf8) }) }

    /// From now on only credentials of these open allocations.
    public func replace(with secrets: [String]) {
        let secrets = secrets.map { Array($0.utf8) }
        self.secrets.withLock { $0 = secrets }
    }

    public var isEmpty: Bool { secrets.withLock { $0.isEmpty } }

    /// What a client authenticates with until `now + lifetime`.
    ///
    /// - Parameters:
    ///   - user: whose allocations are counted together.
    ///   - lifetime: seconds.
    ///   - now: seconds since 1970.
    /// - Returns: nil when there is no secret to sign with.
    public func issue(user: String, lifetime: Int64, now: Int64) -> (username: String, credential: String)? {
        guard let secret = secrets.withLock({ $0.first }) else { return nil }
        let username = "\(now + lifetime):\(user)"
        return (username, Self.password(of: Array(username.utf8), secret))
    }

    /// The passwords that the name could have: one of each secret.
    func passwords(of username: [UInt8]) -> some Sequence<String> {
        secrets.withLock { $0 }.lazy.map { Self.password(of: username, $0) }
    }

    private static func password(of username: [UInt8], _ secret: [UInt8]) -> String {
        username.withUnsafeBytes { Base64.text(Hash.hmac($0, key: secret, .sha1)) }
    }

    /// Expiry and user of a name; nil for a name of another form.
    static func parts(of username: [UInt8]) -> (expiry: Int64, user: ArraySlice<UInt8>)? {
        // 18 digits cannot overflow.
        guard let colon = username.firstIndex(of: UInt8(ascii: ":")), (1...18).contains(colon) else { return nil }
        var expiry: Int64 = 0
        for byte in username[..<colon] {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            expiry = expiry * 10 + Int64(byte - 0x30)
        }
        return (expiry, username[(colon + 1)...])
    }
}
