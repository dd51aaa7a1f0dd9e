/// What an offer says of the one transport that its BUNDLE group shares.
struct OfferedTransport {
    var ufrag: String
    var password: String
    var fingerprint: Fingerprint
    /// Ours.
    var role: DTLSRole

    /// Reads the attributes of the group's first m-line, else of any other, else of the session (RFC 8843 section 7.1:
    /// BUNDLE-only m-lines leave them out).
    ///
    /// - Parameter media: the m-lines that can be accepted, the group's first at the front.
    /// - Throws: when credentials or a usable fingerprint are missing.
    init(session: [SessionDescription.Attribute], media: [OfferedMedia]) throws(SDPError) {
        let levels = media.map(\.media.attributes) + [session]
        (ufrag, password) = try Self.credentials(levels)
        fingerprint = try Self.fingerprint(levels)
        role = try Self.role(levels)
    }

    private static func credentials(_ levels: [[SessionDescription.Attribute]]) throws(SDPError) -> (String, String) {
        guard let level = levels.first(where: { $0.has("ice-ufrag") }), let ufrag = level.first("ice-ufrag") else {
            throw SDPError(.unusable, "the offer has no a=ice-ufrag")
        }
        guard let password = level.first("ice-pwd") else { throw SDPError(.unusable, "the offer has no a=ice-pwd") }
        guard ICECredentials.isValid(ufrag.value, length: 4...256) else {
            throw SDPError(.malformed, line: ufrag.line, "an ice-ufrag is 4 to 256 ice-chars")
        }
        guard ICECredentials.isValid(password.value, length: 22...256) else {
            throw SDPError(.malformed, line: password.line, "an ice-pwd is 22 to 256 ice-chars")
        }
        return (ufrag.value, password.value)
    }

    /// Of several, the strongest hash that we know counts (RFC 8122 section 5.1).
    private static func fingerprint(_ levels: [[SessionDescription.Attribute]]) throws(SDPError) -> Fingerprint {
        guard let level = levels.first(where: { $0.has("fingerprint") }), let first = level.first("fingerprint") else {
            throw SDPError(.unusable, "the offer has no a=fingerprint")
        }
        let usable = level.values("fingerprint").compactMap { Fingerprint($0) }
        guard let best = usable.max(by: { $0.bytes.count < $1.bytes.count }) else {
            throw SDPError(
                .unusable, line: first.line, "no fingerprint is a well-formed SHA-256, SHA-384 or SHA-512 one")
        }
        return best
    }

    /// RFC 5763 section 5: we are passive whenever the offer lets us, as the client reaches us first.
    private static func role(_ levels: [[SessionDescription.Attribute]]) throws(SDPError) -> DTLSRole {
        guard let setup = levels.lazy.compactMap({ $0.first("setup") }).first else { return .server }
        switch setup.value {
        case "actpass", "active": return .server
        case "passive": return .client
        default: throw SDPError(.unusable, line: setup.line, "a=setup is none of actpass, active, passive")
        }
    }
}
