import Foundation

/// A folder of a test's own, which goes with it.
public final class Scratch: Sendable {
    public let path: String

    /// - Parameter name: how the folder's name begins.
    public init(_ name: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { remove() }

    /// For what all tests share, which nobody lets go of: when the process ends.
    public func remove() { try? FileManager.default.removeItem(atPath: path) }
}
