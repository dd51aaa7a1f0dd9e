import Wire

/// Who asked, with what every later request of the allocation is checked and every answer is signed.
public struct TURNIdentity: Sendable, Equatable {
    /// Whose allocations are counted together: the user behind a time-limited name's expiry, or the listed name.
    public let user: [UInt8]
    public let key: TURNKey
    /// The request carried MESSAGE-INTEGRITY-SHA256, so the answers do too (RFC 8489 section 9.2.4).
    public let usesSHA256: Bool
}

/// Why a request is not served.
public enum TURNRefusal: Error, Sendable, Equatable {
    /// An attribute that authentication needs is missing or contradicts another: 400.
    case malformed
    /// The user is not known, the credential has expired, or the integrity is wrong: 401.
    case unauthorized
}

/// Checks long-term credentials (RFC 8489 section 9.2.4): time-limited ones and a list of users. The nonce is checked
/// where it was made, before a request comes here.
public struct TURNAuthenticator: Sendable {
    /// The longest user name, bytes (RFC 8489 section 14.3).
    private static let longestName = 508

    private let realm: String
    private let secrets: TURNSecrets
    private let users: [[UInt8]: String]
    /// The value of the challenges' PASSWORD-ALGORITHMS; none of ours has parameters (RFC 8489 sections 14.11, 18.5).
    private let offer: [UInt8]

    /// - Parameters:
    ///   - users: passwords by name, for those who do not come from a join.
    ///   - algorithms: what the challenges' PASSWORD-ALGORITHMS says, in its order.
    public init(
        realm: String, secrets: TURNSecrets, users: [String: String] = [:],
        algorithms: [TURNPasswordAlgorithm] = [.sha256, .md5]
    ) {
        self.realm = realm
        self.secrets = secrets
        self.users = Dictionary(users.map { (Array($0.key.utf8), $0.value) }) { first, _ in first }
        offer = algorithms.flatMap { algorithm -> [UInt8] in [0, UInt8(algorithm.rawValue), 0, 0] }
    }

    /// Whether the request is by somebody whom we know.
    ///
    /// - Parameters:
    ///   - message: the request's bytes as they came.
    ///   - now: seconds since 1970.
    public func check(_ message: UnsafeRawBufferPointer, now: Int64) -> Result<TURNIdentity, TURNRefusal> {
        guard let message = STUNMessage(message) else { return .failure(.malformed) }
        let given = TURNCredentialAttributes(message)
        guard let integrity = given.integritySHA256 ?? given.integrity else { return .failure(.unauthorized) }
        guard let username = given.username, given.realm != nil, given.nonce != nil,
            let algorithm = algorithm(given)
        else { return .failure(given.hasUserhash ? .unauthorized : .malformed) }
        guard username.count <= Self.longestName, given.realm?.elementsEqual(realm.utf8) == true else {
            return .failure(.unauthorized)
        }
        let name = Array(username)
        for (user, password) in candidates(for: name, now: now) {
            let key = TURNKey(username: name, realm: realm, password: password, algorithm: algorithm)
            if TURNIntegrity.isValid(integrity, of: message, key: key) {
                return .success(TURNIdentity(user: user, key: key, usesSHA256: given.integritySHA256 != nil))
            }
        }
        return .failure(.unauthorized)
    }

    /// The passwords that the name may go with. The work is the same for a listed name and an unknown one, so that
    /// its time does not tell them apart.
    private func candidates(for name: [UInt8], now: Int64) -> [(user: [UInt8], password: String)] {
        if let password = users[name] { return [(name, password)] }
        guard let (expiry, user) = TURNSecrets.parts(of: name), expiry > now else {
            return users.isEmpty ? [] : [(name, Self.nobodysPassword)]
        }
        return secrets.passwords(of: name).map { (Array(user), $0) }
    }

    /// Nobody has it: 128 random bits, fresh in each process.
    private static let nobodysPassword = String(UInt64.random(in: 0 ... .max)) + String(UInt64.random(in: 0 ... .max))

    /// The algorithm that the request chose; nil for a choice that was not offered, or an offer that is not ours.
    private func algorithm(_ given: TURNCredentialAttributes) -> TURNPasswordAlgorithm? {
        switch (given.algorithms, given.algorithm) {
        case (nil, nil): return .md5
        case (let offered?, let chosen?):
            guard offered.elementsEqual(offer), chosen.count == 4 else { return nil }
            let isOffered = stride(from: 0, to: offer.count, by: 4).contains { at in
                chosen.elementsEqual(offer[at..<at + 4])
            }
            return isOffered ? TURNPasswordAlgorithm(rawValue: UInt16(chosen[1])) : nil
        default: return nil
        }
    }
}
