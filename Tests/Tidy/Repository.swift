import Foundation

/// The files of this repository, found from where this source lies.
enum Repository {
    struct File: Sendable {
        /// From the root, as `Sources/Wire/RTPPacket.swift`.
        let path: String
        let lines: [Substring]

        var text: String { lines.joined(separator: "\n") }
        var folders: [Substring] { path.split(separator: "/").dropLast() }
    }

    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Names at the top, without dot files.
    static func topLevel() throws -> Set<String> { try names(in: "") }

    /// Names of what lies in a folder, without dot files and what Python leaves.
    static func names(in folder: String) throws -> Set<String> {
        let all = try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
        return Set(all.filter { !$0.hasPrefix(".") && $0 != "__pycache__" })
    }

    /// The files below `folder` with one of these extensions; with none given, every text file.
    static func files(in folder: String, _ extensions: String...) throws -> [File] {
        guard let walk = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: folder])
        }
        var found: [File] = []
        while let name = walk.nextObject() as? String {
            let url = root.appendingPathComponent(folder).appendingPathComponent(name)
            let hidden = name.split(separator: "/").contains { $0.hasPrefix(".") || $0 == "__pycache__" }
            let wanted = extensions.isEmpty || extensions.contains(url.pathExtension)
            guard !hidden, wanted, walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular,
                let text = String(data: try Data(contentsOf: url), encoding: .utf8)
            else { continue }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            found.append(File(path: "\(folder)/\(name)", lines: lines))
        }
        return found.sorted { $0.path < $1.path }
    }

    /// All of our own text: sources, shims, tests, tools and pages.
    static func everything() throws -> [File] {
        try ["Sources", "CShims", "Tests", "appliance", "benchmarks", ".ci"].flatMap { try files(in: $0) }
            + ["Package.swift", "README.md"].compactMap { name in
                guard let text = try? String(contentsOf: root.appendingPathComponent(name), encoding: .utf8) else {
                    return nil
                }
                return File(path: name, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
    }
}
