import Foundation

/// The program's version (semantic versioning 2.0.0).
enum Version {
    static let number = "0.1.0"

    /// As people read it.
    static var text: String { "needletail \(number)" + (revision.isEmpty ? "" : " (\(revision))") }

    /// The commit that it was built from, which `appliance/install` writes beside the program; empty where nobody did.
    static let revision: String = {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        guard let file = program.map({ URL(filePath: $0).deletingLastPathComponent().appending(path: "revision") }),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else { return "" }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}
