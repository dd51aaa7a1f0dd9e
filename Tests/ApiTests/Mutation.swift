import TestSupport

/// A text with up to three changes, which need not be UTF-8.
func bent(_ text: String, _ random: inout SplitMix) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0x20..<0x7f, using: &random)
        case 1: bytes.removeSubrange(place...)
        case 2: bytes.insert(contentsOf: bytes[..<place], at: place)
        case 3: bytes.remove(at: place)
        default: bytes.insert(contentsOf: Array(repeating: UInt8(ascii: "9"), count: 400), at: place)
        }
    }
    return bytes
}
