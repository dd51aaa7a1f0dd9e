import Foundation

/// Files that an operator names. Each thing that is no such file is said apart, and none is waited for.
public enum RegularFile {
    /// Why a file is not read, to be put behind its path: `is a folder`.
    public struct Refusal: Error, CustomStringConvertible, Equatable {
        public let description: String
    }

    /// Bytes that a file may have.
    static let limit = 1_024 * 1_024

    /// - Throws: `Refusal`.
    public static func read(_ path: String) throws -> [UInt8] {
        // A pipe or a device would be waited for.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal(description: reason(of: errno)) }
        defer { close(descriptor) }
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { throw Refusal(description: reason(of: errno)) }
        if let kind = kind(of: found.st_mode) { throw Refusal(description: "is a \(kind)") }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Refusal(description: reason(of: errno)) }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= limit else { throw Refusal(description: "has more than \(limit) bytes") }
        }
    }

    private static func reason(of error: Int32) -> String {
        switch error {
        case ENOENT, ENOTDIR: "does not exist"
        case EACCES, EPERM: "may not be read by this user"
        case ENXIO: "is a socket or a device that is not there"
        default: "cannot be read: \(String(cString: strerror(error)))"
        }
    }

    /// What it is instead of a file.
    private static func kind(of mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "folder"
        case S_IFIFO: "pipe"
        default: "device"
        }
    }
}
