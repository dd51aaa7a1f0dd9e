import JWTKit

extension ApiConfiguration.Key {
    /// A token with which an operator who holds the key asks this node, for a minute.
    public func operatorToken(clock: any ApiClock = SystemClock()) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        return try await keys.sign(
            ServiceToken(iss: id, sub: "operator", exp: clock.now.seconds + 60, meeting: Grants([Grants.admin])))
    }
}
