import Foundation

/// Files that have their names only when they are whole.
enum WholeFile {
    static func write(_ bytes: [UInt8], to path: String) throws {
        let handle = FileHandle(fileDescriptor: try create(path + ".part"), closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(bytes))
            try handle.close()
        } catch {
            throw MediaError("\(path).part: \(error.localizedDescription)")
        }
        try put(path + ".part", as: path)
    }

    /// A new file in place of what has its name: what was left there may be a link to another one.
    ///
    /// - Returns: its descriptor, for writing; the caller's.
    static func create(_ part: String) throws -> Int32 {
        _ = unlink(part)
        let handle = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard handle >= 0 else { throw MediaError("\(part): \(String(cString: strerror(errno)))") }
        return handle
    }

    static func put(_ part: String, as path: String) throws {
        guard rename(part, path) == 0 else { throw MediaError("\(path): \(String(cString: strerror(errno)))") }
    }
}
