import Glibc

/// Hashes that are the same in every process and version, unlike the standard library's: PoPs must agree on them.
enum StableHash {
    /// FNV-1a of the text, mixed.
    static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return mixed(hash)
    }

    static func of(_ first: UInt64, _ second: UInt64) -> UInt64 {
        mixed(first ^ mixed(second &+ 0x9e37_79b9_7f4a_7c15))
    }

    /// The finaliser of SplitMix64: every bit of the input changes about half of those of the output.
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Weighted rendezvous hashing: of several, the one with the least of these is taken, in proportion to the weights.
    static func draw(_ hash: UInt64, weight: Double) -> Double { -log(fraction(hash)) / weight }

    /// Above 0, at most 1.
    static func fraction(_ hash: UInt64) -> Double { (Double(hash >> 11) + 1) / 9_007_199_254_740_992 }
}
