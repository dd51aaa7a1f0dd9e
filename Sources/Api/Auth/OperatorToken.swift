extension ApiConfiguration.Key {
    /// A token with which an operator who holds the key asks this node, for a minute.
    public func operatorToken(clock: any ApiClock = SystemClock()) throws -> String {
        try JSONWebToken.sign(
            ServiceToken(iss: id, sub: "operator", exp: clock.utc.seconds + 60, meeting: Grants([Grants.admin])),
            key: secret)
    }
}
