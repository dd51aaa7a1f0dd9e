import Wire

/// What a Session's checks are known by: ours, as the peer puts them into its checks (RFC 8445 section 7.2.2).
struct LocalCredentials: BitwiseCopyable {
    /// `OwnerUfrag.secret`.
    let ufragSecret: UInt64
    /// Keyed with the password.
    let integrity: MessageIntegrity

    init(ufragSecret: UInt64, password: ShortText) {
        self.ufragSecret = ufragSecret
        integrity = withUnsafeBytes(of: password.bytes) {
            MessageIntegrity(key: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(password.count))))
        }
    }
}
