import Foundation

/// The folder in which a composition is made, by one at a time: whoever has it open has it alone.
final class OutputFolder {
    private let handle: Int32

    /// - Parameter followsLink: whether it may be a link to a folder.
    /// - Throws: `MediaError`, also where another composition is made in it.
    init(_ path: String, followsLink: Bool) throws {
        if !followsLink { try Self.refuseOther(path) }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw MediaError("\(path): \(error.localizedDescription)")
        }
        let handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW))
        guard handle >= 0 else { throw MediaError("\(path): \(String(cString: strerror(errno)))") }
        // Where the file system cannot lock a folder there is no such guard.
        guard flock(handle, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            close(handle)
            throw MediaError("\(path): another composition is being made there")
        }
        self.handle = handle
    }

    deinit {
        // At once, also where a child of this process has the same handle until it becomes another program.
        _ = flock(handle, LOCK_UN)
        close(handle)
    }

    /// A recording comes from elsewhere: a link in it would lead what is made to where its maker wants it.
    static func refuseOther(_ path: String) throws {
        guard let mode = mode(path), mode & S_IFMT != S_IFDIR else { return }
        throw MediaError("\(path) is no folder: remove it, or name another by --output")
    }

    /// Of what has this name, not of what a link leads to; nil where there is nothing.
    static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }
}
