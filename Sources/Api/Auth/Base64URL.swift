import FoundationEssentials

/// The encoding of a JSON Web Signature's parts: RFC 4648 section 5 without padding (RFC 7515 section 2).
enum Base64URL {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let text = Data(bytes).base64EncodedString().utf8.compactMap { letter -> UInt8? in
            switch letter {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: letter
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: nil for a text that is not exactly what `text(_:)` makes of some bytes.
    static func bytes(_ text: some Collection<UInt8>) -> Data? {
        var letters = text.map { letter in
            switch letter {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: letter
            }
        }
        letters += Array(repeating: UInt8(ascii: "="), count: -letters.count & 3)
        guard let bytes = Data(base64Encoded: Data(letters)), self.text(bytes).utf8.elementsEqual(text) else {
            return nil
        }
        return bytes
    }
}
