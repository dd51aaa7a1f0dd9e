import COpenSSL

/// RFC 4648 section 4, with padding.
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        // OpenSSL ends the text with a zero byte.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
