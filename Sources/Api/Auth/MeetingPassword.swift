import Meetings

extension Meeting {
    /// The digest of what was given as its password; nothing is derived where it cannot matter.
    func digest(of password: String?, within limits: Limits) -> [UInt8] {
        guard let salt = self.password?.salt, let password, password.utf8.count <= limits.password * 4 else {
            return []
        }
        return PasswordDerivation.digest(password, salt: salt)
    }
}
