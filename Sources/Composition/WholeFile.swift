import Foundation

/// Files that have their names only when they are whole.
enum WholeFile {
    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path + ".part"))
        } catch {
            throw MediaError("\(path).part: \(error.localizedDescription)")
        }
        try put(path + ".part", as: path)
    }

    static func put(_ part: String, as path: String) throws {
        guard rename(part, path) == 0 else { throw MediaError("\(path): \(String(cString: strerror(errno)))") }
    }
}
