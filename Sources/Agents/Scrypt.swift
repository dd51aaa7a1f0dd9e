import COpenSSL

/// scrypt (RFC 7914): a key from a password, at a cost in time and memory.
public struct Scrypt: Sendable {
    /// RFC 7914's N, a power of two. A derivation takes `128 * cost * blockSize` bytes, of which OpenSSL allows 32 MiB.
    var cost: UInt64
    /// RFC 7914's r.
    var blockSize: UInt64
    /// RFC 7914's p.
    var parallelism: UInt64

    public init(cost: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.cost = cost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// - Returns: a key of `count` bytes; nil where OpenSSL refuses the parameters, or has no memory.
    public func key(of password: String, salt: [UInt8], count: Int) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: count)
        let bytes = password.utf8.map(CChar.init(bitPattern:))
        let isDerived = EVP_PBE_scrypt(
            bytes, bytes.count, salt, salt.count, cost, blockSize, parallelism, 0, &key, count)
        return isDerived == 1 ? key : nil
    }
}
