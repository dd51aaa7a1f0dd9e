import CAV
import CFreeType
import COpus

/// Something that a composition needs is missing, or a library refused something: one line for people.
public struct MediaError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description.escaped }

    /// - Parameter code: of FFmpeg's libraries.
    init(_ doing: String, code: Int32) {
        var text = [CChar](repeating: 0, count: 128)
        _ = needletail_av_strerror(code, &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        description = "\(doing): \(reason)".escaped
    }
}

/// The libraries that a composition needs.
enum MediaLibraries {
    private static let loaded = Result { try find() }

    /// Loads them, once; says which Debian package brings one that is missing.
    static func load() throws { try loaded.get() }

    private static func find() throws {
        if let reason = needletail_av_load() ?? needletail_av_load_media() {
            throw MediaError("install libavformat59 and libswscale6: \(String(cString: reason))")
        }
        if let reason = needletail_opus_load() { throw MediaError("install libopus0: \(String(cString: reason))") }
        if let reason = needletail_freetype_load() {
            throw MediaError("install libfreetype6: \(String(cString: reason))")
        }
    }
}
