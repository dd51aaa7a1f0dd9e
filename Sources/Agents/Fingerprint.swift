/// The hash of a certificate that a session description promises (RFC 8122 section 5).
public struct Fingerprint: Equatable, Sendable {
    /// The hash functions that we accept. MD2 and MD5 must not be used (RFC 8122 section 5), and SHA-1
    /// no longer resists collisions, so a description that offers nothing better is refused.
    public enum Algorithm: String, Sendable, CaseIterable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        /// Length of the hash, bytes.
        public var length: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    public let algorithm: Algorithm
    /// `algorithm.length` bytes.
    public let bytes: [UInt8]

    /// Nil when the length is not that of the hash.
    public init?(algorithm: Algorithm, bytes: [UInt8]) {
        guard bytes.count == algorithm.length else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Reads the value of an `a=fingerprint` line, for example `sha-256 4A:AD:...`; letters in either case.
    /// Nil when it is malformed or names a hash that we do not accept.
    public init?(_ text: some StringProtocol) {
        let parts = text.split { $0 == " " || $0 == "\t" }
        guard parts.count == 2, let algorithm = Algorithm(rawValue: parts[0].lowercased()) else { return nil }
        let pairs = Array(parts[1].utf8).split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard pairs.count == algorithm.length else { return nil }
        var bytes: [UInt8] = []
        for pair in pairs {
            guard pair.count == 2, let high = Self.nibble(pair.first!), let low = Self.nibble(pair.last!) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self.init(algorithm: algorithm, bytes: bytes)
    }

    /// The value of an `a=fingerprint` line.
    public var text: String {
        let digits = Array("0123456789ABCDEF")
        let pairs = bytes.map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }
        return algorithm.rawValue + " " + pairs.joined(separator: ":")
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }
}
