import COpenSSL

/// OpenSSL's digests and HMACs over arrays: the slow path may allocate.
public enum Hash {
    public enum Function {
        case md5, sha1, sha256

        fileprivate var openSSL: OpaquePointer? {
            switch self {
            case .md5: EVP_md5()
            case .sha1: EVP_sha1()
            case .sha256: EVP_sha256()
            }
        }
    }

    public static func digest(_ bytes: [UInt8], _ function: Function) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(bytes, bytes.count, &result, &count, function.openSSL, nil) == 1 else {
            preconditionFailure("this OpenSSL was built without a digest that TURN or JWT needs")
        }
        return Array(result.prefix(Int(count)))
    }

    /// RFC 2104.
    public static func hmac(_ bytes: UnsafeRawBufferPointer, key: [UInt8], _ function: Function) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let data = bytes.bindMemory(to: UInt8.self).baseAddress
        guard HMAC(function.openSSL, key, Int32(key.count), data, bytes.count, &result, &count) != nil else {
            preconditionFailure("this OpenSSL was built without an HMAC that TURN or JWT needs")
        }
        return Array(result.prefix(Int(count)))
    }

    /// Whether both are the same, in a time that depends on their lengths alone.
    public static func isEqual(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        one.count == other.count && CRYPTO_memcmp(Array(one), Array(other), one.count) == 0
    }
}
